"""A WebSocket server of another make as an upstream, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.typing import Subprotocol


def _choose(_: object, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    if not offered:
        return None
    if "chat.v1" not in offered:
        raise NegotiationError("only chat.v1")
    return Subprotocol("chat.v1")


class WebSocketServer:
    """Echoes; "close N why" closes with that code, "big N" sends N bytes, "never" reads no more."""

    def __init__(self, **options: Any) -> None:
        # No pings: behind much data, on a machine that stalls, none is answered in time.
        defaults = {"max_size": None, "ping_interval": None, "open_timeout": 60}
        self._options = {**defaults, "select_subprotocol": _choose, **options}
        self._started = threading.Event()
        self.open: set[ServerConnection] = set()
        self.requests: list[Any] = []
        self.closed_with: list[int | None] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _handle(self, connection: ServerConnection) -> None:
        self.open.add(connection)
        self.requests.append(connection.request)
        try:
            async for message in connection:
                if isinstance(message, str) and message.startswith("close "):
                    _, code, why = message.split(" ", 2)
                    await connection.close(int(code), why)
                elif isinstance(message, str) and message.startswith("big "):
                    await connection.send(bytes(int(message[4:])))
                elif message == "never":
                    await asyncio.Event().wait()
                else:
                    await connection.send(message)
        except ConnectionClosed:
            pass  # the test says how
        finally:
            self.open.discard(connection)
            self.closed_with.append(connection.close_code)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serve(self._handle, "127.0.0.1", 0, **self._options) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._started.set()
            await self._stop.wait()

    def __enter__(self) -> WebSocketServer:
        self._thread = threading.Thread(target=asyncio.run, args=(self._main(),))
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive()
