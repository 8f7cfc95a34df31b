"""Runs that ask for input, and reports of those that are silent: over each door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from flask_realtime.redisserver import RedisServer
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

WHERE = ["", "_apart"]  # a job on a thread, and the same in a process of its own


@pytest.fixture
def client(server: Server) -> Iterator[socketio.Client]:
    client = ordered_client()
    client.connect(server.url, transports=["websocket"])
    yield client
    client.disconnect()


def waiting(server: Server, run: str) -> dict[str, Any]:
    """Wait until a run asks, and return how."""
    return eventually(lambda: server.run_record(run)["waiting"])


def answer(server: Server, run: str, body: dict[str, Any]) -> tuple[int, str]:
    response = server.post(f"/api/runs/{run}/input", body)
    return response.status_code, response.json().get("code", "")


@pytest.mark.parametrize("where", WHERE)
def test_a_run_asks_and_is_answered_by_the_socket(
    server: Server, client: socketio.Client, where: str
) -> None:
    statuses: list[dict[str, Any]] = []
    client.on("status", lambda event: statuses.append(event["run"]))
    run = client.call("start", {"job": f"asks{where}", "params": {"times": 2}})["run"]["id"]

    def prompts() -> list[str | None]:
        """What the run waited for, change by change."""
        told = [each["waiting"] and each["waiting"]["since"] for each in statuses]
        return [each for at, each in enumerate(told) if at == 0 or each != told[at - 1]]

    for name in ("Ada", "Grace"):
        before = len(statuses)
        asked = waiting(server, run)
        assert (asked["hidden"], asked["prompt"]) == (False, "Your name?")
        assert client.call("input", {"run": run, "data": f"{name}\n"}) == {}
        eventually(lambda: len(statuses) > before)  # noqa: B023  # called within the turn
        eventually(
            lambda: (now := server.run_record(run))["waiting"] != asked or now["ended"]  # noqa: B023
        )
    assert server.ended(run)["state"] == "succeeded"
    assert server.run_record(run)["waiting"] is None
    assert server.output(run) == (b"Your name? Ada\nHello Ada.\nYour name? Grace\nHello Grace.\n")
    eventually(lambda: statuses[-1]["state"] == "succeeded")
    assert len([each for each in prompts() if each]) == 2


@pytest.mark.parametrize("where", WHERE)
def test_a_run_is_answered_over_http(server: Server, where: str) -> None:
    run = server.start_run(f"asks{where}")
    waiting(server, run)
    assert answer(server, run, {"data": "größer\n"}) == (200, "")
    server.ended(run)
    assert server.output(run).decode() == "Your name? größer\nHello größer.\n"


@pytest.mark.parametrize("where", [*WHERE, "_on_pipes"])
def test_a_password_is_in_no_output_record_or_log(server: Server, where: str) -> None:
    run = server.start_run(f"asks_password{where}")
    asked = waiting(server, run)
    assert (asked["hidden"], asked["prompt"]) == (True, "Password:")
    assert answer(server, run, {"data": "correct horse\n"}) == (200, "")
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run) == b"Password: \nit has 13 characters: ***\n"
    assert "correct horse" not in server.get(f"/api/runs/{run}").text
    assert "correct horse" not in server.log
    with server.redis_client() as redis:
        for key in redis.scan_iter():
            kind = redis.type(key)
            held = redis.dump(key) if kind != b"none" else None
            assert held is None or b"correct horse" not in held, key


@pytest.mark.parametrize("where", WHERE)
def test_the_end_of_the_input(server: Server, where: str) -> None:
    run = server.start_run(f"adds_up{where}")
    waiting(server, run)
    assert answer(server, run, {"data": "1\n2\n3", "eof": True}) == (200, "")
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run) == b"1\n2\n3sum 6\n"


@pytest.mark.parametrize("where", WHERE)
def test_nothing_is_taken_after_the_end_of_the_input(server: Server, where: str) -> None:
    run = server.start_run(f"reads_nothing{where}")
    eventually(lambda: server.output(run))
    assert answer(server, run, {"data": "x\n", "eof": True}) == (200, "")
    assert answer(server, run, {"data": "x\n"}) == (409, "not_running")
    assert answer(server, run, {"eof": True}) == (409, "not_running")
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


@pytest.mark.parametrize("where", WHERE)
def test_a_run_that_asks_can_be_stopped(server: Server, where: str) -> None:
    run = server.start_run(f"asks{where}")
    waiting(server, run)
    server.post(f"/api/runs/{run}/stop")
    record = server.ended(run)
    assert (record["state"], record["waiting"]) == ("stopped", None)
    assert record["exit"]["reason"] == "stopped"
    assert b"Traceback" not in server.output(run)


def test_what_nobody_reads_is_bounded(server: Server) -> None:
    run = server.start_run("reads_nothing")
    assert answer(server, run, {"data": "x" * 65536}) == (200, "")
    assert answer(server, run, {"data": "x"}) == (429, "input_full")
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": 5}, 400),
        ({"data": None}, 400),
        ({"data": ["x"]}, 400),
        ({"data": "x", "eof": "yes"}, 400),
        ({"data": ""}, 400),
        ({}, 400),
        ({"data": "x" * 65537}, 400),
        ({"data": "ö" * 32769}, 400),
        ({"data": "\ud800"}, 400),
        ({"data": "\0\n"}, 200),
    ],
)
def test_wrong_answers_are_named(server: Server, body: dict[str, Any], status: int) -> None:
    run = server.start_run("reads_nothing")
    assert answer(server, run, body) == (status, "" if status == 200 else "bad_request")
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


def test_an_answer_to_a_run_that_has_ended(server: Server, client: socketio.Client) -> None:
    run = server.start_run("greet")
    server.ended(run)
    assert answer(server, run, {"data": "x\n"}) == (409, "not_running")
    error = client.call("input", {"run": run, "data": "x\n"})["error"]
    assert error["code"] == "not_running"
    assert "has ended: it is succeeded" in error["message"]
    assert client.call("report", {"run": run})["error"]["code"] == "not_running"


def test_runs_that_nobody_knows(server: Server, client: socketio.Client) -> None:
    assert answer(server, "0" * 24, {"data": "x\n"}) == (404, "unknown_run")
    assert server.get("/api/runs/none/report").status_code == 404
    for event in ("input", "report"):
        assert client.call(event, {"run": "none", "data": "x"})["error"]["code"] == "unknown_run"
        assert client.call(event, {"run": 5, "data": "x"})["error"]["code"] == "bad_request"


def report_of(server: Server, run: str, doing: str) -> dict[str, Any]:
    """Ask until the run does what it shall, and its threads are known."""

    def asked() -> dict[str, Any] | None:
        response = server.get(f"/api/runs/{run}/report")
        assert response.status_code == 200, response.text
        report: dict[str, Any] = response.json()["report"]
        return report if report["doing"] == doing and report["threads"] else None

    return eventually(asked)


@pytest.mark.parametrize(
    ("job", "doing", "line"),
    [
        ("computes", "computing", ""),
        ("computes_apart", "computing", ""),
        ("reads_nothing", "sleeping", ""),
        ("asks", "waiting for input", "print(f\"Hello {input('Your name? ')}.\")"),
        ("asks_apart", "waiting for input", "print(f\"Hello {input('Your name? ')}.\")"),
        ("deadlocks", "sleeping", ""),
        ("deadlocks_apart", "sleeping", ""),
    ],
)
def test_the_report_of_a_silent_run(
    server: Server, client: socketio.Client, job: str, doing: str, line: str
) -> None:
    run = server.start_run(job)
    eventually(lambda: server.output(run))
    report = report_of(server, run, doing)
    assert set(report) == {
        *("time", "silent_seconds", "state", "waiting", "doing", "cpu_percent"),
        *("processes", "threads", "note"),
    }
    assert report["state"] == "running"
    assert report["silent_seconds"] >= 0
    assert (report["waiting"] is not None) == job.startswith("asks")
    assert bool(report["processes"]) == job.endswith("_apart")
    own = report["threads"][0]
    assert own["stack"][0]["function"] == job
    assert own["stack"][0]["file"].endswith("asking.py")
    assert line in ("", own["stack"][-1]["code"])
    assert [each["name"] for each in report["threads"][1:]] == ["waits"] * job.startswith(
        "deadlocks"
    )
    assert set(client.call("report", {"run": run})["report"]) == set(report)
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers over one Redis."""
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        Server(tmp_path / "one", REDIS_URL=redis.url) as one,
        Server(tmp_path / "two", REDIS_URL=redis.url) as two,
    ):
        yield one, two
    redis.stop()


@pytest.mark.parametrize("where", WHERE)
def test_the_other_server_answers_and_reports(servers: tuple[Server, Server], where: str) -> None:
    owner, other = servers
    run = owner.start_run(f"asks{where}")
    assert waiting(other, run)["prompt"] == "Your name?"
    report = report_of(other, run, "waiting for input")
    assert report["threads"][0]["stack"][0]["function"] == f"asks{where}"
    assert answer(other, run, {"data": "Ada\n"}) == (200, "")
    assert owner.ended(run)["state"] == "succeeded"
    assert owner.output(run) == b"Your name? Ada\nHello Ada.\n"
    eventually(lambda: other.run_record(run)["ended"])
    assert answer(other, run, {"data": "x"}) == (409, "not_running")


def test_what_the_owner_refuses_is_told_by_the_other_server(
    servers: tuple[Server, Server],
) -> None:
    owner, other = servers
    run = owner.start_run("asks")
    waiting(other, run)
    assert answer(other, run, {"data": "x" * 65536}) == (200, "")
    assert answer(other, run, {"data": "x"}) == (429, "input_full")
    assert answer(other, run, {"eof": True}) == (200, "")
    assert owner.ended(run)["state"] == "succeeded"
    assert owner.output(run).endswith(b"xxx.\n")


def test_the_server_of_a_run_that_does_not_answer(servers: tuple[Server, Server]) -> None:
    owner, other = servers
    run = owner.start_run("asks")
    waiting(other, run)
    owner.kill()
    for response in (
        other.post(f"/api/runs/{run}/input", {"data": "x\n"}),
        other.get(f"/api/runs/{run}/report"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "not_running")
        assert "does not answer" in response.json()["detail"]
