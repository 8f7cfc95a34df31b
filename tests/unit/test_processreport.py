"""Why a run in a process is silent: what its report says of its processes."""

from __future__ import annotations

import os
import sys

from tests.support.boxes import Boxed, command, program


def test_a_run_that_waits_and_its_tree() -> None:
    box = Boxed(command("sh", "-c", "sleep 1000 & read line"))
    box.prompt()
    report = box.box.report()
    assert (report["doing"], report["note"], report["threads"]) == ("waiting for input", "", [])
    assert report["cpu_percent"] < 50
    shell, sleeper = report["processes"]
    assert shell["command"] == "sh -c sleep 1000 & read line"
    assert (shell["pid"], sleeper["parent"]) == (box.pid(), shell["pid"])
    assert sleeper["command"] == "sleep 1000"
    assert sleeper["state"] == "sleeping"
    assert 0 <= sleeper["seconds"] < 60
    assert 0 < sleeper["memory_bytes"] < 100 << 20
    box.box.force()
    box.end()


def test_a_run_that_computes() -> None:
    box = Boxed(program("spins.py"))
    box.printed(b"round\n")
    report = box.box.report()
    assert report["doing"] == "computing"
    assert report["cpu_percent"] > 0
    assert len(report["processes"]) == 2
    assert {process["state"] for process in report["processes"]} == {"running"}
    box.box.force()
    box.end()


def test_a_run_that_sleeps() -> None:
    box = Boxed(command("sleep", "1000"))
    report = box.box.report()
    assert report["doing"] == "sleeping"
    box.box.force()
    box.end()


def test_a_run_that_waits_until_its_output_is_read() -> None:
    box = Boxed(program("floods.py"), slow=0.5)
    box.printed(b"0")
    while (report := box.box.report())["doing"] != "waiting for room":
        assert report["doing"] in ("computing", "sleeping")
    box.slow = 0
    box.box.force()
    box.end()


def test_a_secret_in_a_command_line_is_masked() -> None:
    box = Boxed(command(sys.executable, "-c", "input()", "--token=open-sesame"))
    box.run.secrets.add("open-sesame")
    box.prompt()
    (process,) = box.box.report()["processes"]
    assert process["command"].endswith("--token=***")
    box.box.force()
    box.end()


def test_a_run_that_has_ended_has_no_processes() -> None:
    box = Boxed(command("true"))
    box.end()
    report = box.box.report()
    assert report["processes"] == []
    assert report["note"] == "The run has just ended, or its processes cannot be looked at."


def test_the_keeper_is_not_among_the_processes() -> None:
    box = Boxed(command("cat"))
    box.prompt()
    assert [each["command"] for each in box.box.report()["processes"]] == ["cat"]
    assert box.keeper().ppid() == os.getpid()
    box.box.end_input()
    assert box.end().state == "succeeded"
