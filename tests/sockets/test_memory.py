"""What an idle connection costs the server."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.sockets.conftest import MODULE
from tests.sockets.hostile import TEXT, Hostile
from tests.sockets.serving import Serving

WARM = 100  # what the first connections cost is not theirs: modules, caches
SOCKETS = 400
MAX_BYTES = 60_000  # each: what docs/sockets.md promises; 41,000 were measured


def test_an_idle_socket_costs_less_than_60_kb(tmp_path: Path) -> None:
    running = Serving(tmp_path, ["-m", MODULE])
    with ExitStack() as stack:
        stack.callback(running.stop)
        server = psutil.Process(running.pid)

        def connect(count: int) -> int:
            """Connect so many clients, use each once; return the server's memory in bytes."""
            for _ in range(count):
                client = stack.enter_context(Hostile(running, deflate=True))
                client.send(TEXT, b"once")
                assert client.frame().data == b"once"
            return server.memory_info().rss

        before = connect(WARM)
        assert (connect(SOCKETS) - before) / SOCKETS < MAX_BYTES
