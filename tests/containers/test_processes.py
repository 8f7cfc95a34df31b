"""Jobs in processes of their own, inside the container: rights, read-only root, its own init."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.stack import Stack, copy_of_clone
from tests.support.patience import eventually

JOBS = """
import getpass, os, time
from flask_realtime import job

@job(isolation="process", max_memory_mib=200)
def who(running):
    print(os.getuid(), "REDIS_URL" in os.environ, sorted(map(int, os.listdir("/proc/self/fd")))[:3])
    print("hello", input("Your name? "))

@job(isolation="process", max_memory_mib=200)
def eats(running):
    eaten = []
    while True:
        eaten.append(bytearray(b"x") * (1 << 20))
        time.sleep(0.002)
"""
DAEMON = """#!/bin/sh
trap '' TERM INT
setsid sh -c 'trap "" TERM; sleep 300' &
echo "daemon of $1"
sleep 300
"""
TOML = 'title = "Leaves a daemon"\nstop_grace = 1\n[parameters.name]\ntype = "text"\n'


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = copy_of_clone(tmp_path_factory.mktemp("boxed"))
    (folder / ".env").write_text("LOGIN=none\nJOBS_PATH=own_jobs\n")
    jobs = folder / "own_jobs"
    jobs.mkdir()
    (jobs / "boxed.py").write_text(JOBS)
    (jobs / "daemon.sh").write_text(DAEMON)
    (jobs / "daemon.sh").chmod(0o755)
    (jobs / "daemon.toml").write_text(TOML)
    with Stack(folder) as running:
        running.up()
        yield running


def ended(stack: Stack, run: str) -> dict[str, object]:
    eventually(lambda: stack.run_record(run)["ended"], 60)
    return stack.run_record(run)


def reported(stack: Stack, run: str) -> dict[str, list[object]]:
    report: dict[str, list[object]] = stack.get(f"/api/runs/{run}/report").json()["report"]
    return report


def test_a_job_in_a_process_asks_as_an_ordinary_user(boxed: Stack) -> None:
    run = boxed.start_run("who")
    eventually(lambda: boxed.run_record(run)["waiting"], 60)
    assert boxed.run_record(run)["waiting"]["prompt"] == "Your name?"
    assert boxed.post(f"/api/runs/{run}/input", {"data": "Ada\n"}).status_code == 200
    assert ended(boxed, run)["state"] == "succeeded"
    first, *rest = boxed.get(f"/api/runs/{run}/output").text.splitlines()
    uid, secret, descriptors = first.split(" ", 2)
    assert int(uid) > 0
    assert secret == "False"
    assert descriptors == "[0, 1, 2]"
    assert rest == ["Your name? Ada", "hello Ada"]


def test_stop_ends_the_daemon_of_a_command_as_well(boxed: Stack) -> None:
    run = boxed.start_run("daemon", name="ada")
    eventually(lambda: len(reported(boxed, run)["processes"]) == 4, 60)  # two shells, two sleeps
    boxed.post(f"/api/runs/{run}/stop")
    record = ended(boxed, run)
    assert record["state"] == "stopped"
    assert record["processes"] == {"ended": 4, "left": 0}
    assert "sleep 300" not in boxed.compose(
        "exec", "-T", "flask", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    )


def test_one_that_takes_too_much_memory_is_ended_and_the_server_lives(boxed: Stack) -> None:
    run = boxed.start_run("eats")
    record = ended(boxed, run)
    assert record["state"] == "failed"
    assert "200 MiB" in str(record["exit"])
    assert boxed.status("/readyz") == 200
