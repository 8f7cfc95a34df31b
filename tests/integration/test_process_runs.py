"""Real programs as runs of the real server: each ends as it should, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.support.patience import eventually
from tests.support.programjobs import make_jobs
from tests.support.server import Server

FLOOD_BYTES = int(os.environ.get("FLOOD_BYTES", 20_000_000))
TABLES = {
    "ignores_term": "stop_grace = 0.5",
    "forks_a_daemon": "",
    "forks_children": "",
    "prints_binary": "terminal = false",
    "segfaults": "",
    "eats_memory": "max_memory_mib = 200",
    "spins": "max_cpu_seconds = 1",
    "floods": f'args = ["{FLOOD_BYTES}"]',
    "reads_a_password": "",
}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jobs folder with the programs, each beside its TOML file."""
    folder = tmp_path_factory.mktemp("jobs")
    make_jobs(folder, TABLES)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, jobs: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "tmp").mkdir()
    with Server(folder, JOBS_PATH=str(jobs), TMPDIR=str(folder / "tmp")) as running:
        running.ended(running.start_run("prints_binary"))  # what is made once is made
        yield running


def held(server: Server) -> dict[str, Any]:
    """What the server holds now, beside sockets: of these its clients and Redis get some as well.

    tests/unit/test_processbox.py looks for them.
    """
    descriptors = []
    for number in os.listdir(f"/proc/{server.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{server.pid}/fd/{number}")
        except FileNotFoundError:
            continue
        descriptors.append(re.sub(r"\d+", "", target))
    process = psutil.Process(server.pid)
    return {
        "pipes, terminals, files": sorted(each for each in descriptors if "socket" not in each),
        "children": sorted(child.name() for child in process.children(recursive=True)),
        "temporary files": sorted(os.listdir(server.folder / "tmp")),
    }


@pytest.fixture(autouse=True)
def nothing_left_and_healthy(server: Server) -> Iterator[None]:
    """Ask for /healthz all the while; in the end look for what is left."""
    before = held(server)
    over = threading.Event()
    answers: list[int | str] = []

    def ask() -> None:
        while True:
            try:
                answers.append(requests.get(f"{server.url}/healthz", timeout=10).status_code)
            except requests.RequestException as error:
                answers.append(repr(error))
            if over.wait(0.05):
                return

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
        eventually(lambda: held(server) == before)
    finally:
        over.set()
        asking.join()
    assert set(answers) == {200}


def printed(server: Server, run: str, text: bytes) -> None:
    """Wait until the run has printed `text`."""
    eventually(lambda: text in server.output(run))


def stopped(server: Server, run: str, *, force: bool = False) -> dict[str, Any]:
    assert server.post(f"/api/runs/{run}/stop", {"force": force}).status_code == 200
    return server.ended(run)


def how(record: dict[str, Any]) -> tuple[str, int | None, str, dict[str, int]]:
    return (
        record["state"],
        record["exit"]["code"],
        record["exit"]["reason"],
        record["processes"],
    )


def test_what_ignores_sigterm_is_killed_after_the_grace(server: Server) -> None:
    run = server.start_run("ignores_term")
    printed(server, run, b"not impressed\n")
    assert how(stopped(server, run)) == (
        *("stopped", 137, "stopped by force"),
        {"ended": 1, "left": 0},
    )


def test_force_does_not_wait_for_the_grace(server: Server) -> None:
    run = server.start_run("forks_children")
    printed(server, run, b"50 children\n")
    record = stopped(server, run, force=True)
    assert (record["state"], record["processes"]) == ("stopped", {"ended": 51, "left": 0})


def test_a_daemon_in_a_session_of_its_own_is_ended_and_counted(server: Server) -> None:
    run = server.start_run("forks_a_daemon")
    assert how(server.ended(run)) == (
        *("succeeded", 0, "finished"),
        {"ended": 1, "left": 0},
    )
    assert not psutil.pid_exists(int(server.output(run).split()[1]))


def test_fifty_children_are_ended_by_stop(server: Server) -> None:
    run = server.start_run("forks_children")
    printed(server, run, b"50 children\n")
    assert how(stopped(server, run)) == (
        *("stopped", 143, "stopped"),
        {"ended": 51, "left": 0},
    )


def test_binary_output_arrives_byte_for_byte(server: Server) -> None:
    run = server.start_run("prints_binary")
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run) == bytes(range(256)) * 4 + b"\r\n\n\r\x00\x04\x03\xff\xfe\xe4"


def test_a_crash_takes_nothing_with_it(server: Server) -> None:
    run = server.start_run("segfaults")
    assert how(server.ended(run)) == (
        *("failed", 139, "ended by SIGSEGV (segmentation fault)"),
        {"ended": 0, "left": 0},
    )
    assert server.output(run) == b"now\n"


def test_what_eats_memory_is_ended_at_its_bound(server: Server) -> None:
    record = server.ended(server.start_run("eats_memory"))
    assert record["state"] == "failed"
    assert record["exit"]["reason"] == "it took more than 200 MiB of memory (max_memory_mib)"


def test_what_spins_is_ended_at_its_bound(server: Server) -> None:
    record = server.ended(server.start_run("spins"))
    assert record["state"] == "failed"
    assert record["exit"]["reason"] == "it used more than 1 s of CPU time (max_cpu_seconds)"
    assert record["processes"] == {"ended": 2, "left": 0}


def test_a_flood_arrives_whole(server: Server) -> None:
    run = server.start_run("floods")
    record = server.ended(run, 300)
    assert (record["state"], record["output_bytes"]) == ("succeeded", FLOOD_BYTES)


def test_a_password_is_asked_for_and_never_shown(server: Server) -> None:
    run = server.start_run("reads_a_password")
    eventually(lambda: (server.run_record(run)["waiting"] or {}).get("prompt") == "Name:")
    server.post(f"/api/runs/{run}/input", {"data": "ada\n"})
    eventually(lambda: (server.run_record(run)["waiting"] or {}).get("hidden"))
    assert server.run_record(run)["waiting"]["prompt"] == "Password:"
    server.post(f"/api/runs/{run}/input", {"data": "open sesame\n"})
    assert server.ended(run)["state"] == "succeeded"
    assert server.output(run) == b"Name: ada\nPassword: \nada: 11 characters\n"
    assert "sesame" not in server.log


@pytest.mark.parametrize(
    ("job", "state"), [("raises", "failed"), ("exits", "failed"), ("tells_its_run", "succeeded")]
)
def test_a_function_in_a_process_of_its_own(server: Server, job: str, state: str) -> None:
    assert server.ended(server.start_run(job))["state"] == state


def test_a_function_ends_when_running_is_false(server: Server) -> None:
    run = server.start_run("has_children")
    printed(server, run, b"here\n")
    assert how(stopped(server, run)) == (
        *("stopped", 0, "stopped"),
        {"ended": 3, "left": 0},
    )


def test_a_report_tells_what_a_run_does(server: Server) -> None:
    run = server.start_run("waits_for_stop")
    printed(server, run, b"here\n")
    report = server.get(f"/api/runs/{run}/report").json()["report"]
    assert [process["parent"] for process in report["processes"]] != []
    assert report["threads"][0]["stack"][-1]["function"] == "waits_for_stop"
    stopped(server, run)


def test_a_program_that_has_gone_since_is_told(server: Server, jobs: Path) -> None:
    program = jobs / "segfaults"
    program.rename(jobs / "_moved")
    try:
        run = server.start_run("segfaults")
        record = server.ended(run)
    finally:
        (jobs / "_moved").rename(program)
    reason = f"the command {program} does not exist"
    assert (record["state"], record["exit"]) == ("failed", {"code": 127, "reason": reason})
    assert server.output(run).decode() == f"{reason}\n"


def test_nothing_is_left_of_runs_when_the_server_is_killed(jobs: Path, tmp_path: Path) -> None:
    with Server(tmp_path, JOBS_PATH=str(jobs)) as doomed:
        run = doomed.start_run("forks_children")
        printed(doomed, run, b"50 children\n")
        pids = [child.pid for child in psutil.Process(doomed.pid).children(recursive=True)]
        assert len(pids) > 51
        doomed.kill()
    eventually(lambda: not any(map(psutil.pid_exists, pids)))
