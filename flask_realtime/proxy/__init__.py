"""Other app servers behind the origin and the login of a Flask application."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask_realtime.proxy.configuration import load_apps
    from flask_realtime.proxy.limits import Limits
    from flask_realtime.proxy.mounts import mounted_apps, start_apps, stop_apps
    from flask_realtime.proxy.output import Output
    from flask_realtime.proxy.reverseproxy import ReverseProxy
    from flask_realtime.proxy.status import Status
    from flask_realtime.proxy.supervisor import Supervisor

__all__ = [
    "Limits",
    "Output",
    "ReverseProxy",
    "Status",
    "Supervisor",
    "load_apps",
    "mounted_apps",
    "start_apps",
    "stop_apps",
]

# Imported when they are first used: parts of the library that know no Flask use parts of this.
_HOMES = {
    "Limits": "limits",
    "Output": "output",
    "ReverseProxy": "reverseproxy",
    "Status": "status",
    "Supervisor": "supervisor",
    "load_apps": "configuration",
    "mounted_apps": "mounts",
    "start_apps": "mounts",
    "stop_apps": "mounts",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return value
