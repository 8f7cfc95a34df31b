"""The wire protocol, spoken by real Socket.IO clients: Python's and JavaScript's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio
import websocket
from engineio.payload import Payload

from flask_realtime.events import RealtimeEvents
from flask_realtime.watching.messages import GAP, OUTPUT
from tests.programs.expected import EXACT
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server


class Client:
    """A connection that keeps what it gets, and acknowledges it unless told not to."""

    def __init__(self, url: str, *, transports: list[str] | None = None) -> None:
        self.io = socketio.Client(reconnection=False)
        self.outputs: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.io.on("output", self.outputs.append)
        self.io.on("status", lambda event: self.statuses.append(event["run"]))
        self.io.on("notice", self.notices.append)
        self.io.connect(url, transports=transports or ["websocket"])

    def call(self, event: str, payload: object = None) -> Any:
        return self.io.call(event, payload, timeout=60)

    def error(self, event: str, payload: object = None) -> str:
        code: str = self.call(event, payload)["error"]["code"]
        return code

    def start(self, job: str, **params: object) -> str:
        answer = self.call("start", {"job": job, "params": params})
        assert "run" in answer, answer
        run: str = answer["run"]["id"]
        return run

    def received(self, run: str, begin: int = 0) -> bytes:
        """All output of `run` by its offsets; fails when it is not contiguous."""
        chunks = sorted(
            (event["offset"], event["data"]) for event in self.outputs if event["run"] == run
        )
        for offset, data in chunks:
            assert offset == begin, "a byte was lost or repeated"
            begin += len(data)
        return b"".join(data for _, data in chunks)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    connected = Client(server.url)
    yield connected
    connected.io.disconnect()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_viewer_gets_every_byte_once(
    server: Server, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Payload, "max_decode_packets", 10_000)  # the client's own limit
    client = Client(server.url, transports=[transport])
    run = client.start("exact")
    answer = client.call("attach", {"run": run, "offset": 0})
    assert (answer["run"]["id"], answer["offset"]) == (run, 0)
    eventually(lambda: sum(len(event["data"]) for event in client.outputs) >= len(EXACT))
    assert client.received(run) == EXACT
    assert {event["stream"] for event in client.outputs} == {1, 2}
    client.io.disconnect()


def test_jobs_are_described(client: Client) -> None:
    jobs = {job["name"]: job for job in client.call("jobs", {})["jobs"]}
    assert {"code_census", "count", "tasks", "greet"} <= set(jobs)
    assert jobs["count"]["parameters"]["properties"]["lines"] == {"type": "integer", "default": 10}
    assert jobs["count"]["description"] == "Numbered lines."
    assert jobs["count"]["isolation"] == "thread"


def test_states_are_told_in_order(client: Client) -> None:
    run = client.start("greet")
    states = lambda: [record["state"] for record in client.statuses if record["id"] == run]  # noqa: E731
    eventually(lambda: "succeeded" in states())
    assert states() == ["queued", "running", "succeeded"]


def test_a_late_viewer_begins_where_it_asks(server: Server, client: Client) -> None:
    run = client.start("count", lines=1000)
    server.ended(run)
    whole = server.output(run)
    assert client.call("attach", {"run": run, "offset": 500})["offset"] == 500
    eventually(lambda: sum(len(event["data"]) for event in client.outputs) == len(whole) - 500)
    assert client.received(run, 500) == whole[500:]
    client.outputs.clear()
    assert client.call("attach", {"run": run, "tail": 10})["offset"] == len(whole) - 10
    eventually(lambda: client.outputs)
    assert client.received(run, len(whole) - 10) == whole[-10:]


def test_a_viewer_begins_at_a_line(server: Server, client: Client) -> None:
    run = client.start("count", lines=1000)
    server.ended(run)
    whole = server.output(run)
    begin = len(b"".join(whole.splitlines(keepends=True)[:499]))
    answer = client.call("attach", {"run": run, "line": 500})
    assert (answer["offset"], answer["line"]) == (begin, 500)
    eventually(lambda: sum(len(event["data"]) for event in client.outputs) == len(whole) - begin)
    assert client.received(run, begin) == whole[begin:]
    assert client.outputs[0]["line"] == 500
    for event in client.outputs:
        assert event["line"] == 1 + whole[: event["offset"]].count(b"\n")
    assert client.call("attach", {"run": run, "offset": begin + 1})["line"] == 500
    assert client.call("attach", {"run": run, "tail": 0})["line"] == 1001


def test_a_piece_of_the_output_is_read_without_a_cursor(server: Server, client: Client) -> None:
    run = client.start("count", lines=1000)
    server.ended(run)
    whole = server.output(run)
    answer = client.call("read", {"run": run, "offset": 100, "bytes": 50})
    assert answer["data"] == whole[100:150]
    assert sum(item["size"] for item in answer["items"]) == 50
    assert (answer["end"], answer["end_line"]) == (len(whole), 1001)
    begin = len(b"".join(whole.splitlines(keepends=True)[:41]))
    answer = client.call("read", {"run": run, "line": 42, "bytes": 7})
    item = answer["items"][0]
    assert set(item) == {"offset", "size", "time", "stream", "line"}
    assert (item["offset"], item["line"]) == (begin, 42)
    assert answer["data"] == whole[begin : begin + 7]
    pieces = bytearray()
    while data := client.call("read", {"run": run, "offset": len(pieces)})["data"]:
        pieces += data
    assert pieces == whole
    assert not client.outputs, "nothing was attached"


def test_detach_ends_the_output(client: Client, server: Server) -> None:
    run = client.start("count", lines=10_000, delay_ms=5)
    client.call("attach", {"run": run, "offset": 0})
    eventually(lambda: client.outputs)
    assert client.call("detach", {"run": run}) == {}
    client.call("jobs", {})  # what was on its way has arrived
    seen = len(client.outputs)
    before = server.run_record(run)["output_bytes"]
    eventually(lambda: server.run_record(run)["output_bytes"] > before + 50)
    assert len(client.outputs) <= seen + 1
    client.call("stop", {"run": run})
    server.ended(run)


def test_a_client_that_comes_is_told_what_stands(client: Client) -> None:
    notice = eventually(lambda: client.notices)[0]
    assert (notice["code"], notice["active"]) == ("jobs_folder", True)
    assert "broken.py:3" in notice["message"]
    assert "this file is broken on purpose" in notice["message"]


@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("start", {"job": "no_such"}, "unknown_job"),
        ("start", {"job": "count", "params": {"lines": "many"}}, "bad_parameters"),
        ("start", {"job": "count", "params": {"colour": 1}}, "bad_parameters"),
        ("start", {"job": "count", "params": [1]}, "bad_parameters"),
        ("start", {"job": 7}, "bad_request"),
        ("start", {}, "bad_request"),
        ("start", None, "bad_request"),
        ("start", "count", "bad_request"),
        ("start", [{"job": "count"}], "bad_request"),
        ("stop", {"run": "nope"}, "unknown_run"),
        ("stop", {"run": "nope", "force": "yes"}, "bad_request"),
        ("attach", {"run": "nope"}, "unknown_run"),
        ("attach", {"run": 12}, "bad_request"),
        ("attach", {"run": "nope", "offset": -1}, "bad_offset"),
        ("attach", {"run": "nope", "offset": 1.5}, "bad_offset"),
        ("attach", {"run": "nope", "tail": True}, "bad_offset"),
        ("attach", {"run": "nope", "line": 0}, "bad_line"),
        ("attach", {"run": "nope", "line": "7"}, "bad_line"),
        ("read", {"run": "nope"}, "unknown_run"),
        ("read", {"run": "nope", "offset": -1}, "bad_offset"),
        ("read", {"run": "nope", "line": True}, "bad_line"),
        ("read", {"run": "nope", "bytes": "all"}, "bad_request"),
        ("read", {"run": "nope", "bytes": 0}, "bad_request"),
        ("read", {"run": "nope", "bytes": 262_145}, "bad_request"),
        ("detach", {}, "bad_request"),
        ("explode", {}, "unknown_event"),
        ("__init__", {}, "unknown_event"),
    ],
)
def test_bad_events_are_answered_with_their_fault(
    client: Client, event: str, payload: object, code: str
) -> None:
    assert client.error(event, payload) == code
    assert "jobs" in client.call("jobs", {})  # the server lives on, and so does the connection


def test_an_offset_beyond_the_output_is_refused(client: Client, server: Server) -> None:
    run = client.start("greet")
    server.ended(run)
    for event in ("attach", "read"):
        assert client.error(event, {"run": run, "offset": 10**15}) == "bad_offset"
        assert client.error(event, {"run": run, "line": 10**15}) == "bad_line"


def test_an_event_of_100_mb_ends_its_connection_and_nothing_else(
    client: Client, server: Server
) -> None:
    address = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    greedy = websocket.create_connection(address, timeout=60)
    greedy.send("40")
    with pytest.raises((OSError, websocket.WebSocketException)):
        _send_and_read_on(greedy, '42["start",{"job":"' + "x" * 100_000_000 + '"}]')
    greedy.shutdown()
    assert "jobs" in client.call("jobs", {})


def _send_and_read_on(connection: websocket.WebSocket, message: str) -> None:
    connection.send(message)
    while True:
        connection.recv()


def test_the_javascript_client_gets_every_byte(server: Server) -> None:
    result = subprocess.run(
        [sys.executable, "tools/node.py", "../tests/programs/viewer.mjs", server.url, "exact"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == EXACT


def test_event_names_are_the_same_in_python_and_typescript() -> None:
    source = (ROOT / "frontend" / "src" / "connection" / "protocol.ts").read_text("utf-8")
    python = (Path(sys.modules[RealtimeEvents.__module__].__file__ or "")).read_text("utf-8")

    def named(kind: str) -> set[str]:
        block = re.search(rf"export const {kind} = {{(.*?)}}", source, re.S)
        assert block is not None, kind
        return set(re.findall(r': "(\w+)"', block[1]))

    handlers = set(re.findall(r"def on_(\w+)\(", python)) - {"connect", "disconnect"}
    sent = {OUTPUT, GAP, *re.findall(r'_emit\(\s*"(\w+)"', python)}
    assert named("ClientEvent") == handlers
    assert named("ServerEvent") == sent
