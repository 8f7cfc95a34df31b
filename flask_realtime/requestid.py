"""The id of a request: ours, or that of a reverse proxy which is believed (X-Request-ID)."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REQUEST_ID = "flask_realtime.request_id"  # in the environ
_NAMED = "flask_realtime.named_request_id"  # in the environ: what the client called it
_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


def give_id(environ: WSGIEnvironment) -> None:
    """Give a request an id of ours; what its client calls it counts where `believe` says so."""
    environ[_NAMED] = environ.pop("HTTP_X_REQUEST_ID", "")
    # No secret: the system need not be asked for it.
    environ[REQUEST_ID] = environ["HTTP_X_REQUEST_ID"] = f"{random.getrandbits(64):016x}"
    if "werkzeug.proxy_fix.orig" in environ:
        believe(environ)


def believe(environ: WSGIEnvironment) -> None:
    """Take the id that the client gave the request: it is a proxy that is trusted."""
    named = environ.get(_NAMED, "")
    if _ID.fullmatch(named):
        environ[REQUEST_ID] = environ["HTTP_X_REQUEST_ID"] = named


def log_extra(environ: WSGIEnvironment) -> dict[str, str | None]:
    """The `extra` of an entry of the log about a request, where no context tells of it."""
    return {"request_id": environ.get(REQUEST_ID)}
