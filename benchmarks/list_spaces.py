"""list_spaces against the Webex sandbox: its time beside the floor, its memory, WebexPythonSDK.

Each measurement is a process of its own: `python -m benchmarks.list_spaces NAME URL`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.webexsandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "sandbox-token-ada"
SPACES, MESSAGES = 200, 1500
MANY_SPACES, MANY_MESSAGES = 2000, 10_000
PAGE = 1000
CONCURRENCY = 100
LATENCY = 0.05  # seconds of each answer
ROUNDS = 5
SDK_SPACES = 20  # of the spaces for the sequential loop; all of them take half a minute
# Who am I, the spaces, then two pages for each space, so many at once.
FLOOR = LATENCY * (2 + SPACES * -(-MESSAGES // PAGE) / CONCURRENCY)


def main() -> None:
    with Sandbox(spaces=SPACES, messages=MESSAGES) as sandbox:
        sandbox.settings(latency=LATENCY)
        ours = [_measured("ours", sandbox) for _ in range(ROUNDS)]
        theirs = _measured("sdk", sandbox)
    assert {found["messages"] for found in ours} == {SPACES * MESSAGES}
    assert theirs["messages"] == SDK_SPACES * MESSAGES
    seconds = median(found["seconds"] for found in ours)
    worst = max(found["seconds"] for found in ours)
    peak = max(found["peak"] for found in ours)
    ratio = theirs["seconds"] / theirs["messages"] / (seconds / (SPACES * MESSAGES))
    print(f"  {SPACES} x {MESSAGES:,}            {seconds:>10.2f} s, worst {worst:.2f}")
    print(f"  the computed floor      {FLOOR:>10.2f} s")
    print(f"  ratio                   {seconds / FLOOR:>10.2f}  (wanted: at most 2.5)")
    print(f"  peak memory             {peak:>10.0f} MB  (wanted: at most 150)")
    print(f"  WebexPythonSDK, {SDK_SPACES} of them {theirs['seconds']:>8.2f} s")
    print(f"  ratio per message       {ratio:>10.1f}  (wanted: at least 20)")
    with Sandbox(spaces=MANY_SPACES, messages=MANY_MESSAGES) as sandbox:
        many = _measured("ours", sandbox)
    assert many["messages"] == MANY_SPACES * MANY_MESSAGES
    print(f"  {MANY_SPACES:,} x {MANY_MESSAGES:,}, no delay {many['seconds']:>8.1f} s")
    print(f"  peak memory             {many['peak']:>10.0f} MB  (wanted: at most 200)")


def _measured(name: str, sandbox: Sandbox) -> dict[str, Any]:
    """What a measurement in a process of its own found."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.list_spaces", name, sandbox.api_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _ours(url: str) -> int:
    from app.list_spaces import list_spaces
    from app.webex.access import WebexAccess, access

    access.set(WebexAccess(TOKEN, url))
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        asyncio.run(list_spaces(lambda: True, concurrency=CONCURRENCY, page_size=PAGE))
    totals = re.search(r"spaces: ([\d,]+) messages", output.getvalue().splitlines()[-1])
    assert totals is not None, output.getvalue()[-500:]
    return int(totals[1].replace(",", ""))


def _sdk(url: str) -> int:
    """The same with WebexPythonSDK: one request after the other."""
    from webexpythonsdk import WebexAPI

    api = WebexAPI(access_token=TOKEN, base_url=url)
    count = 0
    for number, room in enumerate(api.rooms.list(max=PAGE)):
        if number == SDK_SPACES:
            break
        times = [message.created for message in api.messages.list(room.id, max=PAGE)]
        count += len(times)
        print(room.title, min(times), max(times), file=io.StringIO())
    return count


def _peak() -> float:
    """The most memory that this process ever had, in MB. Linux."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) * 1024 / 1e6


MEASUREMENTS = {"ours": _ours, "sdk": _sdk}

if __name__ == "__main__":
    import app.list_spaces  # noqa: F401  # not part of the time

    begin = time.perf_counter()
    messages = MEASUREMENTS[sys.argv[1]](sys.argv[2])
    seconds = time.perf_counter() - begin
    print(json.dumps({"messages": messages, "seconds": seconds, "peak": _peak()}))
