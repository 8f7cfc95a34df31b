"""examples/minimal.py: live output in a Flask application of somebody's own, in a few lines."""

from __future__ import annotations

import ast
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually

EXAMPLE = ROOT / "examples" / "minimal.py"
# The example as it stands, as the main program; only the port is any that is free.
RUN = """
import runpy, sys
from flask_realtime import Realtime
Realtime.run.__defaults__ = ("127.0.0.1", 0)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture
def example(tmp_path: Path) -> Iterator[str]:
    """The example as a child process in a folder of its own; yields the address that it says."""
    program = shutil.copy(EXAMPLE, tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(program)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )

    def address() -> re.Match[str] | None:
        assert process.poll() is None, log.read_text()
        return re.search(r"Serving (http://localhost:\d+/realtime) ", log.read_text())

    children: list[psutil.Process] = []
    try:
        found = eventually(address)
        children = psutil.Process(process.pid).children(recursive=True)
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    _, left = psutil.wait_procs(children, 10)
    assert not left


def test_the_example_runs_its_job_and_serves_its_page(example: str) -> None:
    page = requests.get(example, timeout=60)
    assert page.status_code == 200
    assert "<script" in page.text
    body = {"job": "countdown", "params": {"seconds": 2}}
    started = requests.post(f"{example}/api/runs", json=body, timeout=60)
    assert started.status_code == 201, started.text
    run = f"{example}/api/runs/{started.json()['id']}"
    output = requests.get(f"{run}/output?follow=1", timeout=60)
    assert output.content == b"2 seconds left\n1 seconds left\n"
    assert eventually(lambda: requests.get(run, timeout=60).json()["ended"])
    assert requests.get(run, timeout=60).json()["state"] == "succeeded"


def test_fewer_than_ten_lines_touch_the_library() -> None:
    lines = set()
    for node in ast.walk(ast.parse(EXAMPLE.read_text("utf-8"))):
        imports = isinstance(node, ast.ImportFrom) and node.module == "flask_realtime"
        uses = isinstance(node, ast.Name) and node.id.lower() == "realtime"
        if imports or uses:
            lines.add(node.lineno)
    assert 4 <= len(lines) < 10
