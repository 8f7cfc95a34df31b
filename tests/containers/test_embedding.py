"""Another app server in a container of its own, behind nginx and flask, below a prefix."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import websocket

from tests.containers.stack import Stack, copy_of_clone
from tests.support.patience import eventually

SERVER = """
from aiohttp import WSMsgType, web

async def show(request):
    return web.Response(text=f"prefix {request.headers.get('X-Forwarded-Prefix')}")

async def count(request):
    total = 0
    async for piece in request.content.iter_any():
        total += len(piece)
    return web.Response(text=str(total))

async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data[::-1])
    return socket

app = web.Application(client_max_size=0)
app.add_routes([web.get("/", show), web.post("/count", count), web.get("/echo", echo)])
web.run_app(app, port=8000, access_log=None)
"""
OVERRIDE = """
services:
  mirror:
    image: app-flask
    entrypoint: ["python", "/own/mirror.py"]
    volumes: ["./own:/own:ro"]
    networks: [front]
    healthcheck: {disable: true}
"""
APPS = """
[apps.mirror]
upstream = "http://mirror:8000"
strip_prefix = true
"""
PREFIX = "/realtime"


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = copy_of_clone(tmp_path_factory.mktemp("embedding"))
    folder.chmod(0o755)  # the application reads APPS_FILE where it is
    folder.parent.chmod(0o755)
    (folder / ".env").write_text(f"LOGIN=none\nAPPS_FILE=apps.toml\nPREFIX={PREFIX}\n")
    (folder / "apps.toml").write_text(APPS)
    (folder / "override.yml").write_text(OVERRIDE)
    (folder / "own").mkdir()
    (folder / "own" / "mirror.py").write_text(SERVER)
    with Stack(folder) as running:
        running.files.append("override.yml")
        running.compose("up", "-d")
        eventually(lambda: running.status(f"{PREFIX}/mirror/") == 200)
        yield running


def test_it_is_told_where_it_is(embedding: Stack) -> None:
    assert embedding.get(f"{PREFIX}/mirror/").text == f"prefix {PREFIX}/mirror"
    assert embedding.get(f"{PREFIX}/mirror").headers["Location"].endswith(f"{PREFIX}/mirror/")
    assert embedding.status("/mirror/") == 404


def test_its_websocket_passes(embedding: Stack) -> None:
    socket = websocket.create_connection(
        f"ws://localhost:{embedding.port}{PREFIX}/mirror/echo", timeout=60, origin=embedding.url
    )
    for text in ("abc", "x" * 100_000 + "y"):
        socket.send(text)
        assert socket.recv() == text[::-1]
    socket.close()


def test_an_upload_passes_uncollected(embedding: Stack) -> None:
    size = 12 << 20
    pieces = (bytes(1 << 20) for _ in range(size >> 20))  # chunked: no length is told
    answer = requests.post(
        f"{embedding.url}{PREFIX}/mirror/count",
        data=pieces,
        headers={"Origin": embedding.url},
        timeout=60,
    )
    assert answer.text == str(size)
