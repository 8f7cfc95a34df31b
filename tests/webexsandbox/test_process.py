"""The program: how it starts, says where it is, and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.webexsandbox import Sandbox

COMMAND = [sys.executable, "-m", "webexsandbox"]
MIB = 1 << 20
ADA = {"Authorization": "Bearer sandbox-token-ada"}


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port=0", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_on_a_signal(number: signal.Signals) -> None:
    with started("--spaces=3") as (process, line):
        url = line.removeprefix("Webex sandbox: ").strip()
        assert url.startswith("http://127.0.0.1:")
        assert requests.get(f"{url}/v1/rooms", headers=ADA, timeout=60).status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_it_ends_with_its_parent_even_while_a_request_hangs() -> None:
    with started("--watch-stdin") as (process, line):
        url = line.removeprefix("Webex sandbox: ").strip()
        fault = {"faults": [{"do": "hang"}]}
        assert requests.post(f"{url}/_control", json=fault, timeout=60).status_code == 204
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/v1/rooms", timeout=0.2)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def test_without_being_asked_it_does_not_watch_stdin() -> None:
    with started() as (process, line):
        assert process.stdin is not None
        process.stdin.close()
        url = line.removeprefix("Webex sandbox: ").strip()
        assert requests.get(f"{url}/v1/rooms", headers=ADA, timeout=60).status_code == 200
        assert process.poll() is None


@pytest.mark.parametrize(
    ("argument", "says"),
    [("--spaces=-1", "-1"), ("--messages=many", "many"), ("--port=65536", "65536"), ("--x", "--x")],
)
def test_a_wrong_argument_is_named(argument: str, says: str) -> None:
    result = subprocess.run(
        [*COMMAND, argument], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_one_clear_line(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    result = subprocess.run(
        [*COMMAND, f"--port={port}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert result.stderr.strip() == (f"Cannot listen on 127.0.0.1:{port}: Address already in use")


def test_a_large_world_starts_at_once_and_is_not_held() -> None:
    began = time.monotonic()
    with Sandbox(spaces=2000, messages=10_000) as sandbox:
        assert time.monotonic() - began < 30  # all of its messages take minutes
        process = psutil.Process(sandbox.pid)
        at_first = process.memory_info().rss
        with requests.Session() as session:
            session.headers.update(ADA)
            rooms = []
            url = f"{sandbox.api_url}rooms?max=1000"
            while url:
                answer = session.get(url, timeout=60)
                rooms += [room["id"] for room in answer.json()["items"]]
                url = answer.links.get("next", {}).get("url", "")
            assert len(set(rooms)) == 2000
            for room in rooms[::100]:
                count, url = 0, f"{sandbox.api_url}messages?roomId={room}&max=1000"
                while url:
                    answer = session.get(url, timeout=60)
                    count += answer.content.count(b'"created":')
                    url = answer.links.get("next", {}).get("url", "")
                assert count == 10_000
        used = process.memory_info().rss
        assert used < 120 * MIB
        assert used - at_first < 40 * MIB


def test_the_cost_of_a_page_is_small() -> None:
    """A benchmark of a client must not measure the sandbox: 0.5 ms here, on 2026-11-21."""
    with Sandbox(spaces=1, messages=2000) as sandbox, requests.Session() as session:
        session.headers.update(ADA)
        room = session.get(f"{sandbox.api_url}rooms", timeout=60).json()["items"][0]["id"]
        url = f"{sandbox.api_url}messages?roomId={room}&max=1000"
        process = psutil.Process(sandbox.pid)

        def cpu_seconds() -> float:
            times = process.cpu_times()
            return times.user + times.system

        before = cpu_seconds()
        for _ in range(50):
            assert session.get(url, timeout=60).status_code == 200
        assert (cpu_seconds() - before) / 50 < 0.008


def test_it_imports_neither_the_library_nor_the_application() -> None:
    program = (
        "import sys, webexsandbox.__main__\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('flask_realtime', 'app', 'flask')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")
