"""What a web process knows where an entry of the log is made: the request, the run, the user."""

from __future__ import annotations

from collections.abc import Callable

from flask import has_request_context, request

from app.logs import of_the_run
from flask_realtime.requestid import REQUEST_ID
from flask_realtime.server.accesslog import NOTE_USER


def of_request_and_run() -> dict[str, str]:
    """The request's id and user, and the run, as far as there are any.

    An event of Socket.IO has the id of the request that its connection began with.
    """
    found: dict[str, str] = {}
    if has_request_context():
        for field, key in (("request_id", REQUEST_ID), ("user", "REMOTE_USER")):
            if value := request.environ.get(key):
                found[field] = value
    return found | of_the_run()


def noting(identify: Callable[[], str | None]) -> Callable[[], str | None]:
    """Return `identify`, which notes in the request who it is from: for the logs."""

    def identified() -> str | None:
        user = identify()
        if user is not None:
            request.environ["REMOTE_USER"] = user
            if (note := request.environ.get(NOTE_USER)) is not None:
                note(user)
        return user

    return identified
