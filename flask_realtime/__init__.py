"""Flask-Realtime: live output of Python jobs in the browser."""

from flask_realtime.currentrun import current_run, mask
from flask_realtime.errors import ConfigurationError, RealtimeError, StoreUnavailable
from flask_realtime.extension import Realtime
from flask_realtime.flaskthread import FlaskThread
from flask_realtime.jobs import job
from flask_realtime.options import Options
from flask_realtime.pipeio import PipeIO

__all__ = [
    "ConfigurationError",
    "FlaskThread",
    "Options",
    "PipeIO",
    "Realtime",
    "RealtimeError",
    "StoreUnavailable",
    "current_run",
    "job",
    "mask",
]
