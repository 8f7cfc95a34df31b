"""Other app servers behind the origin and the login of a Flask application."""

from __future__ import annotations

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
