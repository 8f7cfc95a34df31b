"""Raw WebSocket routes of a Flask application."""

from __future__ import annotations

from flask_realtime.sockets.routes import ConnectionClosed, Sock, Sockets, WebSocket

__all__ = ["ConnectionClosed", "Sock", "Sockets", "WebSocket"]
