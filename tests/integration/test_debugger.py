"""`python test.py` under a debugger: it stops inside a job, and the job goes on afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually

JOB = """\
from flask_realtime import job

@job
def add(running, first: int = 1, second: int = 2):
    total = first + second
    print("the total is", total)
    print("done")
"""
BREAKPOINT = 6  # the line of JOB that prints the total

# As an IDE does: it traces all threads, says where it stopped, and waits to be told to go on.
DEBUGGER = """
import bdb, json, runpy, sys, threading

class Debugger(bdb.Bdb):
    def user_line(self, frame):
        if self.get_break(frame.f_code.co_filename, frame.f_lineno):
            is_main = threading.current_thread() is threading.main_thread()
            seen = {"line": frame.f_lineno, "total": frame.f_locals["total"], "main": is_main}
            print(json.dumps(seen), file=sys.__stdout__, flush=True)
            sys.__stdin__.readline()
        self.set_continue()

program, file, line = sys.argv[1:]
debugger = Debugger()
assert debugger.set_break(file, int(line)) is None
threading.settrace(debugger.trace_dispatch)
debugger.runcall(runpy.run_path, program, run_name="__main__")
"""


@dataclass
class Session:
    """A program in the debugger: where it serves, and what the debugger says."""

    process: subprocess.Popen[bytes]
    url: str
    said: Path

    def stops(self) -> list[dict[str, Any]]:
        """Return each stop at the breakpoint so far."""
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


def edited(text: str, **settings: str) -> str:
    """Return test.py with other settings at its top, as somebody types them there."""
    for name, value in settings.items():
        text, count = re.subn(
            rf'^    "{name}": "[^"]*"', f'    "{name}": "{value}"', text, flags=re.M
        )
        assert count == 1, name
    return text


@pytest.fixture
def debugged(tmp_path: Path) -> Iterator[Session]:
    job = tmp_path / "jobs" / "add.py"
    job.parent.mkdir()
    job.write_text(JOB)
    program = tmp_path / "test.py"
    text = (ROOT / "test.py").read_text("utf-8")
    program.write_text(edited(text, PORT="0", JOBS_PATH=str(job.parent)))
    log, said = tmp_path / "log", tmp_path / "said"
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REDIS_DATA": str(tmp_path / "redis"),
        "LOGIN": "none",
        "PORT": "1",  # what stands at the top of test.py counts, not this
    }
    with log.open("wb") as errors, said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", DEBUGGER, str(program), str(job), str(BREAKPOINT)],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
        )

    def address() -> re.Match[str] | None:
        assert process.poll() is None, log.read_text()
        return re.search(r"Serving (http://localhost:\d+)/", log.read_text())

    children: list[psutil.Process] = []
    assert process.stdin is not None
    try:
        found = eventually(address)
        children = psutil.Process(process.pid).children(recursive=True)
        yield Session(process, found[1], said)
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.stdin.close()
        if process.poll() is None:
            process.kill()
            process.wait()
    _, left = psutil.wait_procs(children, 10)
    assert not left


def test_a_debugger_stops_inside_a_job_and_goes_on(debugged: Session) -> None:
    body = {"job": "add", "params": {"first": 40}}
    started = requests.post(f"{debugged.url}/api/runs", json=body, timeout=60)
    assert started.status_code == 201, started.text
    run = f"{debugged.url}/api/runs/{started.json()['id']}"
    eventually(debugged.stops)
    assert debugged.stops() == [{"line": BREAKPOINT, "total": 42, "main": False}]
    # The job stands still; the server does not.
    assert requests.get(f"{debugged.url}/healthz", timeout=60).ok
    held = requests.get(run, timeout=60).json()
    assert (held["state"], held["output_bytes"]) == ("running", 0)
    debugged.go_on()
    output = requests.get(f"{run}/output?follow=1", timeout=60)
    assert output.content == b"the total is 42\ndone\n"
    record = eventually(lambda: _ended(run))
    assert record["state"] == "succeeded"


def _ended(run: str) -> dict[str, Any]:
    record: dict[str, Any] = requests.get(run, timeout=60).json()
    return record if record["ended"] else {}
