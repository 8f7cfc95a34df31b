"""A program as one writes it for flask-sock, all of its parts in use; only the import is ours."""

from __future__ import annotations

import sys
import threading

from flask import Blueprint, Flask, url_for
from simple_websocket import ConnectionClosed

from flask_realtime import Server, Sock

sock = Sock()
part = Blueprint("part", __name__)


@sock.route("/reverse")
def reverse(ws):
    while True:
        text = ws.receive()
        ws.send(text[::-1])


@sock.route("/inner", bp=part)
def inner(ws):
    ws.send(url_for("__flask_sock.reverse") + " " + url_for(".inner"))
    ws.close(reason=3001, message="that was all")


@sock.route("/ends")
def ends(ws):
    try:
        while ws.connected:
            ws.receive(timeout=10)
    except ConnectionClosed as closed:
        print("ended with", int(closed.reason), closed.message, file=sys.stderr, flush=True)


def create_app():
    app = Flask(__name__)
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": 25,
        "max_message_size": 100,
        "subprotocols": ["v1"],
        "receive_bytes": 4096,
        "thread_class": threading.Thread,
        "event_class": threading.Event,
    }
    sock.init_app(app)
    app.register_blueprint(part, url_prefix="/part")
    return app


if __name__ == "__main__":
    server = Server(create_app())
    server.bind(0, "127.0.0.1")
    server.serve([f"port {server.port}"])
    server.close()
