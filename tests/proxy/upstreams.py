"""Small real servers that behave in a certain way, in a thread with an asyncio loop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """Serves `handler` on a free port until the block ends; connections left over are cut."""

    def __init__(self, handler: Handler, *, path: str = "") -> None:
        self._handler = handler
        self._path = path
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.connections = 0
        self.open = 0
        self.url = ""
        self.authority = ""

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._task = asyncio.current_task()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.open += 1
            try:
                await self._handler(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # cut, by the proxy or by the end of the test
            finally:
                self.open -= 1
                writer.close()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            self._connections[asyncio.create_task(serve(reader, writer))] = writer

        if self._path:
            server = await asyncio.start_unix_server(accept, self._path)
            self.url, self.authority = f"unix:{self._path}", "localhost"
        else:
            server = await asyncio.start_server(accept, "127.0.0.1", 0)
            self.authority = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.url = f"http://{self.authority}"
        self._started.set()
        await self._stop.wait()
        await self._cut()
        server.close()  # at once: what is accepted in between would never be closed

    async def _cut(self) -> None:
        others = {asyncio.current_task(), self._task}
        while True:
            for task, writer in self._connections.items():
                task.cancel()
                writer.transport.abort()  # it may not have begun, or its last bytes not have gone
            # A connection that is being accepted has a task of the loop's own before it has ours.
            tasks = asyncio.all_tasks() - others
            if not tasks:
                break
            await asyncio.wait(tasks)
        self._connections.clear()

    def cut(self) -> None:
        """End all connections that there are; a proxy may keep some for later."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(60)

    def __enter__(self) -> Upstream:
        self._thread = threading.Thread(target=asyncio.run, args=(self._main(),))
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive()


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body_bytes: int = 0
    sha: str = ""
    whole: bool = False

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def query(self) -> dict[str, str]:
        return {key: found[0] for key, found in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Echo:
    """An HTTP server that does what the path says, and keeps what it was asked."""

    requests: list[Request] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            first, *lines = head
            method, target, _ = first.split(" ")
            pairs = [line.partition(":") for line in lines]
            request = Request(method, target, [(k, v.strip()) for k, _, v in pairs])
            self.requests.append(request)
            page = urlsplit(target).path.rsplit("/", 1)[-1].replace("-", "_") or "echo"
            if page != "early":
                await _read_body(reader, request)
            answer = getattr(self, page, None)
            await (answer or self.echo)(request, reader, writer)
            await writer.drain()

    async def echo(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(request.__dict__).encode()
        if request.method == "HEAD":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async def raw(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        """Answer with the header lines of the query."""
        lines = request.query["headers"].replace("\n", "\r\n")
        status = request.query.get("status", "200 OK")
        writer.write(f"HTTP/1.1 {status}\r\n{lines}\r\nContent-Length: 0\r\n\r\n".encode())

    async def chunked(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one ", b"two ", b"three"):
            writer.write(b"%x;x=y\r\n%b\r\n" % (len(piece), piece))
        writer.write(b"0\r\nTrailer: yes\r\n\r\n")

    async def until_close(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nto the end")
        raise ConnectionError

    async def page(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        kind = request.query.get("kind", "text/html").encode()
        body = b'<script src="/own/a.js"></script>' * 3
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n" % kind)
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body))
        for at in range(0, len(body), 7):
            writer.write(body[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0.002)

    async def download(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        left = int(request.query["bytes"])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
        piece = bytes(range(256)) * 1024
        while left:
            writer.write(piece[:left])
            left -= min(left, len(piece))
            await writer.drain()

    async def events(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        """Server-sent events: one at once, then silence."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await asyncio.Event().wait()

    async def events_watched(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await reader.read(1)
        raise ConnectionError

    async def slow(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(float(request.query["seconds"]))
        await self.echo(request, _, writer)

    async def early(self, request: Request, _: object, writer: asyncio.StreamWriter) -> None:
        """Answer without reading the body, and hang up."""
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        raise ConnectionError


def scripted(*answers: bytes) -> Handler:
    """Answers the first request of each connection with these bytes, and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        for answer in answers:
            writer.write(answer)
            await writer.drain()

    return handle


async def _head(reader: asyncio.StreamReader) -> list[str]:
    data = await reader.readuntil(b"\r\n\r\n")
    return data.decode("latin-1")[:-4].split("\r\n")


async def _read_body(reader: asyncio.StreamReader, request: Request) -> None:
    digest = hashlib.sha256()

    async def take(left: int) -> None:
        while left:
            piece = await reader.read(min(left, 1 << 18))
            if not piece:
                raise ConnectionError
            digest.update(piece)
            left -= len(piece)
            request.body_bytes += len(piece)

    if request.values("transfer-encoding"):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await take(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    elif length := request.values("content-length"):
        await take(int(length[0]))
    request.sha = digest.hexdigest()
    request.whole = True
