"""A run of several GB: memory while it is written, the first screen, a line in its middle."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from pathlib import Path

import psutil
import requests
from playwright.sync_api import Page, sync_playwright

from benchmarks.parts import percentile, server
from tests.support.server import Server
from tests.support.socketclient import ordered_client

MIB = 1 << 20
ENDS_SECONDS = 1200
JUMPS = 20
HOT_MIB = 16  # OUTPUT_HOT_MIB by default
FIRST_LOOK_SECONDS = 3.0  # after which the server's memory is taken for its usual size


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.biglog")
    parser.add_argument("--mib", type=int, default=1024, help="of output; 5120 is what is wanted")
    wanted = parser.parse_args(arguments or [])
    with server() as running:
        before = _rss(running)
        begin = time.perf_counter()
        run = running.start_run("logbook", mib=wanted.mib)
        memory, redis = _watch(running, run)
        seconds = time.perf_counter() - begin
        record = running.run_record(run)
        size, lines = record["output_bytes"], record["output_lines"]
        archive = sum(path.stat().st_size for path in _archive(running).rglob("*.zst"))
        print(f"  {size / 1e9:.2f} GB, {lines:,} lines, in {seconds:.0f} s")
        print(f"  archive                 {archive / MIB:>8.0f} MiB")
        print(
            f"  memory of the server    {memory[0]:>8.0f} MiB at first, {min(memory):.0f} to "
            f"{max(memory):.0f} MiB (wanted: +-64; {before:.0f} before it began)"
        )
        print(
            f"  memory of Redis         {max(redis):>8.1f} MiB at most "
            f"(window: {HOT_MIB}, twice that in a flood)"
        )
        _jumps(running, run, lines)
        _first_screen(running, run)
        after = _rss(running)
        print(f"  memory of the server    {after:>8.0f} MiB at the end")


def _watch(running: Server, run: str) -> tuple[list[float], list[float]]:
    """What the server and Redis take while the run goes on, in MiB."""
    memory: list[float] = []
    redis: list[float] = []
    time.sleep(FIRST_LOOK_SECONDS)
    with running.redis_client() as client:
        end = time.monotonic() + ENDS_SECONDS
        while not running.run_record(run)["ended"]:
            assert time.monotonic() < end
            memory.append(_rss(running))
            redis.append(client.info("memory")["used_memory"] / MIB)
            time.sleep(0.2)
    memory.append(_rss(running))
    return memory, redis or [0.0]


def _jumps(running: Server, run: str, lines: int) -> None:
    """From the click on a line's number to its text: by HTTP, and as the page does it."""
    wanted = [lines * (number + 1) // (JUMPS + 1) for number in range(JUMPS)]
    found: list[float] = []
    session = requests.Session()
    for line in wanted:
        begin = time.perf_counter()
        answer = session.get(f"{running.url}/api/runs/{run}/lines/{line}", timeout=20).json()
        found.append((time.perf_counter() - begin) * 1000)
        assert answer["line"] == line
    session.close()
    _say("line's offset by HTTP", found, 200)
    attached: list[float] = []
    client = ordered_client()
    came = threading.Event()
    chunks: list[dict[str, object]] = []

    def output(chunk: dict[str, object]) -> None:
        chunks.append(chunk)
        came.set()

    client.on("output", output)
    client.connect(running.url, transports=["websocket"])
    for line in wanted:
        came.clear()
        chunks.clear()
        begin = time.perf_counter()
        answer = client.call("attach", {"run": run, "line": line})
        assert came.wait(20)
        attached.append((time.perf_counter() - begin) * 1000)
        assert (answer["line"], chunks[0]["line"]) == (line, line)
        client.call("detach", {"run": run})
    client.disconnect()
    _say("line's text by attach", attached, 200)


def _first_screen(running: Server, run: str) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("  first screen            not measured: there is no Chromium here")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, path in (("the end", ""), ("line in the middle", "#L{middle}")):
            middle = running.run_record(run)["output_lines"] // 2
            times = []
            for _ in range(3):
                page = browser.new_page()
                times.append(_opened(page, f"{running.url}/runs/{run}{path.format(middle=middle)}"))
                page.close()
            _say(f"page: {name}", times, 1000)
        browser.close()


def _opened(page: Page, url: str) -> float:
    """Milliseconds from the address to a screen with the run's lines."""
    begin = time.perf_counter()
    page.goto(url)
    page.locator(".row-text", has_text="handled").first.wait_for()
    return (time.perf_counter() - begin) * 1000


def _say(name: str, values: list[float], wanted: float) -> None:
    print(
        f"  {name:<23} p50 {percentile(values, 0.5):>7.1f}  max {max(values):>7.1f} ms  "
        f"(wanted: below {wanted:.0f})"
    )


def _archive(running: Server) -> Path:
    return running.folder / "instance" / "archive"


def _rss(running: Server) -> float:
    return psutil.Process(running.pid).memory_info().rss / MIB


if __name__ == "__main__":
    main(sys.argv[1:])
