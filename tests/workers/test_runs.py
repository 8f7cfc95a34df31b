"""Runs on a worker are what runs are: over a real worker, from the start to the last byte."""

from __future__ import annotations

import hashlib

import psutil
import pytest
import requests

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.workers import Worker

WHERE = ["", "_apart"]  # a job on a thread, and the same in a process of its own
each_where = pytest.mark.parametrize("where", WHERE)

pytestmark = pytest.mark.usefixtures("worker")

EXACT = (
    b"\xff\xfe raw \xf0\x9f\x98\x80\n10%\r20%\r\n"
    + b"".join(b"%06d %s\n" % (number, b"x" * 90) for number in range(20_000))
    + b"end"
)


def going_on(server: Server, run: str) -> None:
    """Wait until a run has printed."""
    eventually(lambda: server.output(run))


@each_where
def test_every_byte_of_a_run_arrives_in_order_and_once(server: Server, where: str) -> None:
    run = server.start_run(f"exact{where}")
    record = server.ended(run)
    assert record["state"] == "succeeded", record
    assert (record["executor"], record["queue"], record["attempt"]) == ("celery", "default", 1)
    assert record["host"]
    assert record["output_bytes"] == len(EXACT)
    assert server.output(run) == EXACT


def test_it_runs_in_the_workers_pool_which_has_no_web_server(
    server: Server, worker: Worker
) -> None:
    run = server.start_run("where")
    assert server.ended(run)["state"] == "succeeded"
    pid, loaded = server.output(run).decode().split(maxsplit=1)
    assert int(pid) in [process.pid for process in worker.pool()]
    assert loaded == "[]\n"


@each_where
def test_a_run_that_is_asked_to_stop_ends(server: Server, where: str) -> None:
    run = server.start_run(f"count{where}", lines=100_000, delay_ms=10)
    going_on(server, run)
    assert server.post(f"/api/runs/{run}/stop").json()["state"] in ("stopping", "stopped")
    assert server.ended(run)["state"] == "stopped"
    assert server.output(run).split()[-3:] == [b"asked", b"to", b"stop"]


@each_where
def test_a_run_that_ignores_it_is_ended_by_force(server: Server, where: str) -> None:
    run = server.start_run(f"ignores_stop{where}")
    going_on(server, run)
    server.post(f"/api/runs/{run}/stop")
    if not where:  # a process is killed after its grace, a thread when somebody says so
        eventually(lambda: server.run_record(run)["stop_overdue"])
        server.post(f"/api/runs/{run}/stop", {"force": True})
    assert server.ended(run)["state"] == "stopped"


def test_a_command_is_interrupted_although_the_worker_ignores_ctrl_c(server: Server) -> None:
    run = server.start_run("interrupted")
    going_on(server, run)
    server.post(f"/api/runs/{run}/stop")
    assert server.ended(run)["state"] == "stopped"
    assert b"got INT" in server.output(run)


@each_where
def test_a_run_asks_and_is_answered(server: Server, where: str) -> None:
    run = server.start_run(f"asks{where}")
    for answer, hidden in (("Ada\n", False), ("swordfish\n", True)):
        asked = eventually(
            lambda hidden=hidden: (
                (now := server.run_record(run)["waiting"]) and now["hidden"] == hidden and now
            )
        )
        assert asked["prompt"]
        assert server.post(f"/api/runs/{run}/input", {"data": answer}).status_code == 200
    assert server.ended(run)["state"] == "succeeded"
    output = server.output(run)
    assert b"Ada has 9 letters" in output
    assert b"swordfish" not in output


@each_where
def test_a_run_says_how_far_it_is(server: Server, where: str) -> None:
    run = server.start_run(f"steps{where}")
    record = server.ended(run)
    assert record["state"] == "succeeded"
    assert record["progress"]["done"] == record["progress"]["total"] == 20


@each_where
def test_a_run_reports_what_it_does(server: Server, where: str) -> None:
    run = server.start_run(f"ignores_stop{where}")
    going_on(server, run)
    report = server.get(f"/api/runs/{run}/report").text
    assert "time.sleep(0.01)" in report, report
    server.post(f"/api/runs/{run}/stop", {"force": True})
    assert server.ended(run)["state"] == "stopped"


@each_where
def test_a_run_gets_its_files_and_they_go_with_it(server: Server, where: str) -> None:
    data = bytes(range(256)) * 1000
    sent = requests.post(
        f"{server.url}/api/uploads",
        params={"name": "a.bin"},
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        timeout=60,
    )
    assert sent.status_code == 201, sent.text
    run = server.start_run(f"digest{where}", file=sent.json()["upload"])
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run).decode().strip() == hashlib.sha256(data).hexdigest()
    uploads = server.folder / "instance" / "uploads"
    eventually(lambda: not list(uploads.rglob("a.bin")))


@each_where
def test_a_secret_reaches_the_job_and_nobody_else(
    server: Server, worker: Worker, where: str
) -> None:
    secret = f"invented-secret{where}"
    run = server.start_run(f"tells_a_secret{where}", key=secret)
    assert server.ended(run)["state"] == "succeeded"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert server.output(run).decode().split() == [digest, "***"]
    assert server.run_record(run)["params"] == {"key": "***"}
    assert secret not in worker.log


@each_where
def test_a_run_that_fails_says_why(server: Server, where: str) -> None:
    run = server.start_run(f"raises{where}")
    record = server.ended(run)
    assert (record["state"], record["exit"]["reason"]) == ("failed", "LookupError: no such thing")
    assert b"LookupError: no such thing" in server.output(run)


def test_bounds_of_a_job_hold(server: Server) -> None:
    slow, much = server.start_run("too_slow"), server.start_run("too_much")
    ended = server.ended(slow)
    assert (ended["state"], "timeout" in ended["exit"]["reason"]) == ("failed", True), ended
    ended = server.ended(much)
    assert (ended["state"], "MiB" in ended["exit"]["reason"]) == ("failed", True), ended


def test_a_job_that_says_so_stays_in_the_web_node(server: Server) -> None:
    run = server.start_run("here")
    record = server.ended(run)
    assert (record["executor"], record["queue"]) == ("thread", None)
    assert server.output(run) == b"here\n"


def test_runs_leave_no_processes_and_no_descriptors_in_the_pool(
    server: Server, worker: Worker
) -> None:
    def held() -> list[int]:
        return [process.num_fds() for process in worker.pool()]

    def warmed_up() -> None:
        for run in [server.start_run("count_apart") for _ in range(9)]:
            server.ended(run)

    warmed_up()
    before, children = held(), len(psutil.Process(worker.pid).children(recursive=True))
    warmed_up()
    eventually(lambda: max(held()) <= max(before) + 2)
    eventually(lambda: len(psutil.Process(worker.pid).children(recursive=True)) <= children)
