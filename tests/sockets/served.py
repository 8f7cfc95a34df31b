"""The application that the tests of sockets connect to: python -m tests.sockets.served [CERT KEY].

With a certificate it serves https. It says its port, and, as log lines, how handlers ended.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from flask import Blueprint, Flask, abort, g, request, session

from flask_realtime import host
from flask_realtime.server import Server
from flask_realtime.sockets import ConnectionClosed, Sock, Sockets, WebSocket

host.use(os.environ.get("ASYNC_MODE") or "eventlet")

app = Flask(__name__)
app.secret_key = "a secret of this test only"
sockets = Sockets(app, ping_interval=20)
sock = Sock(app)
kept: dict[str, Any] = {}


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


@sockets.route("/echo")
def echo_socket(ws):
    try:
        while not ws.closed:
            message = ws.receive()
            ws.send(message)
    finally:
        say("echo ended with", int(ws.close_reason))


@app.route("/echo")
def echo():
    return "an ordinary page"


@app.route("/page-only")
def page_only():
    return "only a page"


@app.route("/login/<name>")
def login(name):
    session["name"] = name
    return "logged in"


@sockets.route("/greet/<name>/<int:times>")
def greet(ws, name, times):
    ws.send(f"{name} {times} {session.get('name')} {request.cookies.get('colour')} {g.before}")


@app.before_request
def before():
    g.before = "before_request ran"
    if "refuse" in request.args:
        abort(401)


@app.teardown_request
def after(error):
    if request.path.startswith("/greet"):
        say("teardown of", request.path)


@sockets.route("/raises")
def raises(ws):
    raise ValueError("the handler's own fault")


@sockets.route("/aborts")
def aborts(ws):
    abort(403)


@sockets.route("/other-closed")
def other_closed(ws):
    raise ConnectionClosed(1000, "of another connection")


@sockets.route("/closes/<int:code>")
def closes(ws, code):
    ws.close(code, "as asked")
    ws.close(4999)  # does nothing
    try:
        ws.send("too late")
    except ConnectionClosed as error:
        say("send after close raised", error.reason)


@sockets.route("/none")
def none_at_the_end(ws):
    first = ws.receive()
    try:
        ws.receive()
    except ConnectionClosed as error:
        say("first", first, "then", int(error.reason), error.message)


@sockets.route("/iterates")
def iterates(ws):
    say("iterated", ",".join(map(str, ws)))


@sockets.route("/timeout")
def timeout(ws):
    ws.send(repr(ws.receive(timeout=0)) + repr(ws.receive(timeout=0.05)))
    ws.send(ws.receive(timeout=10))


@sockets.route("/kinds")
def kinds(ws):
    ws.send(bytearray(b"a"))
    ws.send(memoryview(b"b"))
    ws.send(3)
    ws.send("text", binary=True)
    ws.send(b"bytes", binary=False)


@sockets.route("/small", max_message_size=1000, subprotocols=["v2", "v1"])
def small(ws):
    ws.send(str(ws.subprotocol))
    for message in ws:
        ws.send(message)


@sockets.route("/large", max_message_size=64 * 2**20)
def large(ws):
    for message in ws:
        ws.send(message)


@sockets.route("/plain", compression=False)
def plain(ws):
    for message in ws:
        ws.send(message)


@sockets.route("/others", origins=["https://friend.example"])
def others(ws):
    ws.send("hello")


@sockets.route("/anybody", origins="*")
def anybody(ws):
    ws.send("hello")


@sockets.route("/pinged", ping_interval=0.2)
@sockets.route("/pinged-calmly", ping_interval=1.5, endpoint="pinged_calmly")
def pinged(ws):
    for _ in ws:
        pass
    say("pinged ended with", int(ws.close_reason))


@sockets.route("/pushes", ping_interval=0.2)
@sockets.route("/pushes-calmly", endpoint="pushes_calmly")
def pushes(ws):
    ws.send("go")
    while not ws.closed:
        host.sleep(0.05)
    say("pushes ended")


@sockets.route("/fills")
def fills(ws):
    try:
        while True:
            ws.send(b"x" * 2**20)
    except ConnectionClosed as error:
        say("fills ended with", int(error.reason))


@sockets.route("/slow")
def slow(ws):
    count = 0
    for message in ws:
        count += 1
        if message == "go":
            break
        host.sleep(0.01)
    kept["unread"] = 0
    say("slow took", count)


@sockets.route("/waits-for-go")
def waits_for_go(ws):
    kept["ws"] = ws
    while "go" not in kept:
        host.sleep(0.02)
    del kept["go"]
    total = sum(len(message) for message in ws)
    say("took", total)


@app.route("/go")
def go():
    kept["go"] = True
    return "gone"


@app.route("/unread")
def unread():
    return str(sum(map(len, kept["ws"].input_buffer)))


@app.route("/close-all")
def close_all():
    return str(sockets.close_all(1001, "the server stops"))


@app.route("/count")
def count():
    return str(len(sockets))


@sockets.route("/crowd")
def crowd(ws):
    everybody: set[WebSocket] = kept.setdefault("crowd", set())
    everybody.add(ws)
    try:
        for message in ws:
            for other in list(everybody):
                other.send(message)
    finally:
        everybody.discard(ws)


@sockets.route("/many-senders")
def many_senders(ws):
    tasks = [host.spawn(ws.send, letter * 100_000) for letter in "abcdefgh"]
    for task in tasks:
        task.wait()


blueprint = Blueprint("blue", __name__)


@blueprint.route("/echo/<name>")
def blue_echo(socket, name):
    while not socket.closed:
        socket.send(f"{name}: {socket.receive()} {g.blue}")


@blueprint.before_request
def blue_before():
    g.blue = f"{request.blueprint} {request.endpoint}"


sockets.register_blueprint(blueprint, url_prefix="/blue")


@sock.route("/sock/echo/<name>")
def sock_echo(ws, name):
    try:
        while True:
            data = ws.receive()
            ws.send(f"{name} {data}")
    finally:
        say("sock echo ended with", int(ws.close_reason))


logging.basicConfig(stream=sys.stderr)


def main() -> None:
    server = Server(app)
    if len(sys.argv) > 1:
        server.bind(0, "127.0.0.1", ssl_cert=sys.argv[1], ssl_key=sys.argv[2])
    else:
        server.bind(0, "127.0.0.1")
    say("port", server.port)
    server.serve()
    server.close()


if __name__ == "__main__":
    main()
