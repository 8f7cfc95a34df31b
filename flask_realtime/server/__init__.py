"""A server for Flask applications: one line, TLS, a graceful end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask_realtime.server.server import Server, run

__all__ = ["Server", "run"]


def __getattr__(name: str) -> Any:
    # Late: parts of the library use parts of this folder, and the server uses the library.
    if name in __all__:
        from flask_realtime.server import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
