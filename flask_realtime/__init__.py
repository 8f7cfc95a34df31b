"""Flask-Realtime: live output of Python jobs in the browser."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask_realtime.currentrun import current_run, mask
    from flask_realtime.errors import ConfigurationError, RealtimeError, StoreUnavailable
    from flask_realtime.extension import Realtime
    from flask_realtime.flaskthread import FlaskThread
    from flask_realtime.keep import Keep
    from flask_realtime.marks import job
    from flask_realtime.options import Options
    from flask_realtime.parameters import MultiLine, Secret, Upload
    from flask_realtime.pipeio import PipeIO
    from flask_realtime.progress import progress
    from flask_realtime.proxy import ReverseProxy
    from flask_realtime.server import Server, run
    from flask_realtime.server.limits import Limits
    from flask_realtime.sockets import Sock, Sockets

__all__ = [
    "ConfigurationError",
    "FlaskThread",
    "Keep",
    "Limits",
    "MultiLine",
    "Options",
    "PipeIO",
    "Realtime",
    "RealtimeError",
    "ReverseProxy",
    "Secret",
    "Server",
    "Sock",
    "Sockets",
    "StoreUnavailable",
    "Upload",
    "current_run",
    "job",
    "mask",
    "progress",
    "run",
]

# Imported when they are first used: a program that only defines jobs loads neither Flask nor
# eventlet with them.
_HOMES = {
    "ConfigurationError": "errors",
    "FlaskThread": "flaskthread",
    "Keep": "keep",
    "Limits": "server.limits",
    "MultiLine": "parameters",
    "Options": "options",
    "PipeIO": "pipeio",
    "Realtime": "extension",
    "RealtimeError": "errors",
    "ReverseProxy": "proxy",
    "Secret": "parameters",
    "Sock": "sockets",
    "Sockets": "sockets",
    "Server": "server",
    "StoreUnavailable": "errors",
    "Upload": "parameters",
    "current_run": "currentrun",
    "job": "marks",
    "mask": "currentrun",
    "progress": "progress",
    "run": "server",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
