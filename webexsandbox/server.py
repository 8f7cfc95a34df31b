"""The application, and how it is served."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading

from aiohttp import web

from webexsandbox import consent, control, hooks, oauth
from webexsandbox.gate import gate
from webexsandbox.options import Options
from webexsandbox.resources import memberships, messages, people, rooms, teams, webhooks
from webexsandbox.state import STATE, State

PARTS = (control, consent, oauth, people, rooms, messages, memberships, teams, webhooks)
STOP_SECONDS = 0.5  # for requests that are being answered when the sandbox ends
BACKLOG = 1024  # a client may open hundreds of connections at once
MOST_BODY_BYTES = 16 << 20
SEND_BUFFER_BYTES = 1 << 20  # a page of 1,000 messages leaves in one piece


def create_app(options: Options) -> web.Application:
    """Return the application; it serves nothing yet."""
    app = web.Application(middlewares=[gate], client_max_size=MOST_BODY_BYTES)
    app[STATE] = State(options)
    for part in PARTS:
        app.router.add_routes(part.routes())
    app.cleanup_ctx.append(hooks.calling)
    return app


def run(options: Options) -> None:
    """Serve until SIGTERM, SIGINT or, to watch it, the end of stdin. Prints the address."""
    asyncio.run(_run(options))


async def _run(options: Options) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # A hanging answer must end with its connection: handlers are cancelled then.
    runner = web.AppRunner(
        create_app(options),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=STOP_SECONDS,
    )
    await runner.setup()
    try:
        listener = _listen(options.host, options.port)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"Webex sandbox: http://{host}:{listener.getsockname()[1]}", flush=True)
        if options.watch_stdin:
            threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
        await stop.wait()
    finally:
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.bind(address)
    return listener


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, because a thread that waits in sys.stdin.read() breaks the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended for another reason
        loop.call_soon_threadsafe(stop.set)
