"""Webhooks are called and signed; those of other machines are not called."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.patience import eventually
from tests.webexsandbox.conftest import Call
from webexsandbox.cast import CAST
from webexsandbox.webhook import Webhook


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent: (path, signature, body)."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str | None, bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def events(self) -> list[tuple[str, str, str]]:
        parsed = [(path, json.loads(body)) for path, _, body in self.received]
        return [(path, each["resource"], each["event"]) for path, each in parsed]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["X-Spark-Signature"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def register(call: Call, target: str, resource: str, event: str, **more: str) -> str:
    body = {"name": "n", "targetUrl": target, "resource": resource, "event": event, **more}
    answer = call("POST", "webhooks", json=body)
    assert answer.status_code == 200, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def test_a_call_is_signed_and_tells_which_message(call: Call, receiver: Receiver) -> None:
    room = call("GET", "rooms?max=1").json()["items"][0]["id"]
    hook = register(call, f"{receiver.url}/hook", "messages", "created", secret="s3")
    sent = call("POST", "messages", json={"roomId": room, "text": "hidden"}, user="ben").json()
    eventually(lambda: receiver.received)
    path, signature, body = receiver.received[0]
    assert path == "/hook"
    assert signature == hmac.new(b"s3", body, hashlib.sha1).hexdigest()
    notice = json.loads(body)
    assert (notice["id"], notice["resource"], notice["event"]) == (hook, "messages", "created")
    assert (notice["data"]["id"], notice["actorId"]) == (sent["id"], sent["personId"])
    assert b"hidden" not in body
    assert "secret" not in notice


def test_a_hook_hears_what_it_asked_for(call: Call, receiver: Receiver) -> None:
    first, second = (room["id"] for room in call("GET", "rooms?max=2").json()["items"])
    register(call, f"{receiver.url}/all", "all", "all")
    register(call, f"{receiver.url}/one", "messages", "created", filter=f"roomId={second}")
    register(call, "http://192.0.2.1/far", "all", "all")
    for room in (first, second):
        call("POST", "messages", json={"roomId": room, "text": "x"})
    made = call("POST", "rooms", json={"title": "x"}).json()["id"]
    member = {"roomId": made, "personEmail": "ben@sandbox.example"}
    membership = call("POST", "memberships", json=member).json()["id"]
    call("DELETE", f"memberships/{membership}")
    call("DELETE", f"rooms/{made}")
    wanted = [
        ("/all", "messages", "created"),
        ("/all", "messages", "created"),
        ("/one", "messages", "created"),
        ("/all", "rooms", "created"),
        ("/all", "memberships", "created"),
        ("/all", "memberships", "deleted"),
        ("/all", "rooms", "deleted"),
    ]
    eventually(lambda: len(receiver.received) >= len(wanted))
    assert receiver.events() == wanted
    assert all(signature is None for _, signature, _ in receiver.received)


@pytest.mark.parametrize(
    ("target", "is_called"),
    [
        ("http://localhost:1/", True),
        ("http://127.0.0.1/x", True),
        ("http://[::1]:2/", True),
        ("http://192.0.2.1/", False),
        ("http://localhost.evil.test/", False),
        ("http://localhost@evil.test/", False),
        ("http://evil.test/?http://localhost/", False),
    ],
)
def test_other_machines_are_never_called(target: str, is_called: bool) -> None:
    hook = Webhook(0, CAST[0], "n", target, "all", "all", None, None, 0)
    assert hook.wants("messages", "created", {}) == is_called


def test_a_hook_whose_calls_fail_becomes_inactive(call: Call) -> None:
    with Receiver() as closed:
        target = closed.url
    hook = register(call, target, "messages", "created")
    room = call("GET", "rooms?max=1").json()["items"][0]["id"]
    for _ in range(100):
        call("POST", "messages", json={"roomId": room, "text": "x"})
    eventually(lambda: call("GET", f"webhooks/{hook}").json()["status"] == "inactive")
    changed = call("PUT", f"webhooks/{hook}", json={"name": "n", "targetUrl": target})
    assert changed.json()["status"] == "active"
