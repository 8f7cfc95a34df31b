"""The HTTP calls, and what becomes of jobs, on the real server."""

from __future__ import annotations

import socket

import psutil
import pytest

from tests.programs.expected import EXACT
from tests.support.patience import eventually
from tests.support.server import Server


def test_every_byte_arrives_exactly(server: Server) -> None:
    run = server.start_run("exact")
    record = server.ended(run)
    assert record["state"] == "succeeded"
    assert record["exit"] == {"code": 0, "reason": "finished"}
    assert server.output(run) == EXACT
    assert record["output_bytes"] == len(EXACT)


def test_a_run_is_created_with_its_location(server: Server) -> None:
    response = server.post("/api/runs", {"job": "count", "params": {"lines": 2}})
    assert response.status_code == 201
    record = response.json()
    assert response.headers["Location"] == f"/api/runs/{record['id']}"
    assert record["params"] == {"lines": 2, "delay_ms": 0, "label": ""}
    server.ended(record["id"])
    assert server.output(record["id"]) == b"0\n1\n"


@pytest.mark.parametrize(
    ("job", "state", "code", "reason", "output"),
    [
        ("raises", "failed", 1, "LookupError: no such thing", "LookupError: no such thing\n"),
        ("exits", "failed", 3, "exited with code 3", ""),
        ("greet", "succeeded", 0, "finished", "Hello world\n"),
    ],
)
def test_the_record_says_how_a_job_ended(
    server: Server, job: str, state: str, code: int, reason: str, output: str
) -> None:
    for _ in range(2):  # the next start works
        run = server.start_run(job)
        record = server.ended(run)
        assert (record["state"], record["exit"]) == (state, {"code": code, "reason": reason})
        assert server.output(run).decode().endswith(output)


def test_a_traceback_begins_in_the_job(server: Server) -> None:
    run = server.start_run("raises")
    server.ended(run)
    output = server.output(run).decode()
    assert output.startswith("before\nTraceback (most recent call last):\n")
    assert "streams.py" in output
    assert "flaskthread.py" not in output


def test_runs_at_once_never_mix(server: Server) -> None:
    labels = ["a", "b", "c"]
    runs = {label: server.start_run("tasks", label=label) for label in labels}
    counts = {label: server.start_run("count", lines=3000, label=label) for label in labels}
    for label in labels:
        server.ended(runs[label])
        server.ended(counts[label])
        lines = server.output(runs[label]).decode().splitlines()
        assert sorted(lines) == sorted(
            [f"{label} task {number}" for number in range(3)]
            + [f"{label} {kind}" for kind in ("to_thread", "thread", "pool")]
        )
        expected = "".join(f"{label}{number}\n" for number in range(3000))
        assert server.output(counts[label]).decode() == expected


def test_stop_asks_and_the_job_ends(server: Server) -> None:
    run = server.start_run("count", lines=100_000, delay_ms=5)
    eventually(lambda: server.output(run))
    stopping = server.post(f"/api/runs/{run}/stop").json()
    assert stopping["state"] in ("stopping", "stopped")
    record = server.ended(run)
    assert record["state"] == "stopped"
    assert server.output(run).endswith(b"asked to stop\n")
    assert server.post(f"/api/runs/{run}/stop").json()["state"] == "stopped"


def test_a_job_that_ignores_stop_is_reported_and_can_be_forced(server: Server) -> None:
    run = server.start_run("ignores_stop")
    server.post(f"/api/runs/{run}/stop")
    eventually(lambda: server.run_record(run)["stop_overdue"])
    assert server.run_record(run)["state"] == "stopping"
    server.post(f"/api/runs/{run}/stop", {"force": True})
    record = server.ended(run, 5)
    assert record["state"] == "stopped"
    assert record["exit"]["reason"] == "stopped by force"


def test_following_streams_while_the_run_goes_on(server: Server) -> None:
    run = server.start_run("count", lines=40, delay_ms=10)
    with server.get(f"/api/runs/{run}/output?follow=1", stream=True) as response:
        pieces = response.iter_content(None)
        first = next(pieces)
        assert server.run_record(run)["state"] == "running"
        rest = b"".join(pieces)
    assert first + rest == b"".join(b"%d\n" % number for number in range(40))


def test_offset_and_range_answer_the_asked_bytes(server: Server) -> None:
    run = server.start_run("exact")
    server.ended(run)
    path = f"/api/runs/{run}/output"
    part = server.get(f"{path}?offset=100")
    assert part.content == EXACT[100:]
    assert part.headers["X-Output-Offset"] == "100"
    ranged = server.get(path, headers={"Range": "bytes=10-19"})
    assert (ranged.status_code, ranged.content) == (206, EXACT[10:20])
    assert ranged.headers["Content-Range"] == f"bytes 10-19/{len(EXACT)}"
    suffix = server.get(path, headers={"Range": "bytes=-5"})
    assert suffix.content == EXACT[-5:]
    assert server.get(path, headers={"Range": f"bytes={len(EXACT)}-"}).status_code == 416


def test_the_list_is_newest_first_and_paged(server: Server) -> None:
    made = [server.start_run("greet") for _ in range(5)]
    for run in made:
        server.ended(run)
    seen: list[str] = []
    before = ""
    while True:
        page = server.get(f"/api/runs?job=greet&state=succeeded&limit=2{before}").json()
        seen += [record["id"] for record in page["runs"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen)
    assert set(made) <= set(seen)


def test_health_and_readiness(server: Server) -> None:
    assert server.get("/healthz").json() == {"status": "up"}
    assert server.get("/readyz").json() == {"status": "ready"}


def test_more_runs_than_the_limit_are_refused(own_server: Server) -> None:
    own_server.stop()
    own_server._environ["MAX_RUNS"] = "2"
    own_server._environ["MAX_QUEUED"] = "0"
    own_server.start()
    runs = [own_server.start_run("ignores_stop") for _ in range(2)]
    refused = own_server.post("/api/runs", {"job": "greet"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_runs")
    for run in runs:
        own_server.post(f"/api/runs/{run}/stop", {"force": True})
        own_server.ended(run)
    own_server.start_run("greet")


def test_a_client_that_leaves_a_silent_stream_is_noticed(server: Server) -> None:
    def is_open() -> bool:
        connections = psutil.Process(server.pid).net_connections("tcp")
        return any(end.raddr and end.raddr.port == port for end in connections)

    run = server.start_run("ignores_stop")
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        port = client.getsockname()[1]
        client.sendall(
            f"GET /api/runs/{run}/output?follow=1 HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
        )
        assert client.recv(12) == b"HTTP/1.1 200"
        assert is_open()
    eventually(lambda: not is_open())
    server.post(f"/api/runs/{run}/stop", {"force": True})
    assert server.ended(run)["state"] == "stopped"


def test_a_secret_that_a_job_names_is_masked_in_all_of_its_output(server: Server) -> None:
    run = server.start_run("secretive")
    record = server.ended(run)
    output = server.output(run).decode()
    assert "whole ***\n" in output
    assert "thread ***\n" in output
    assert "error ***\n" in output
    assert "user local\n" in output
    assert "LookupError: ***\n" in output
    assert output.count("***") == 5  # with the one that came letter by letter
    assert "-secret-" not in output + str(record)
    assert record["exit"]["reason"] == "LookupError: ***"
