"""Flask-Realtime: live output of Python jobs in the browser."""

from flask_realtime.jobs import job

__all__ = ["job"]
