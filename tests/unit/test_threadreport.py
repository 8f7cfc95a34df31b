"""What a job on threads does: computes, sleeps, asks, waits for a lock or for room."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.flaskthread import FlaskThread
from flask_realtime.isolation import threadreport
from tests.support.hub import installed_routing, until

Running = Callable[[], bool]


def report_of(threads: list[threading.Thread]) -> dict[str, Any]:
    before = threadreport.sample(threads)
    host.sleep(threadreport.SAMPLE_SECONDS)
    return threadreport.report(threads, before, threadreport.sample(threads))


def reported(
    function: Callable[[Running], object],
    doing: str,
    threads: int = 1,
    *,
    cpu_percent: float = 0,
    held: bool = False,
) -> dict[str, Any]:
    """Run a job until it has so many threads and does what it shall; return the report of then.

    It has `cpu_percent` at least: what computes gets that soon, also on a busy machine.
    """
    seen: list[bytes] = []
    ends: list[object] = []

    def output(stream: int, data: bytes) -> None:
        seen.append(data)
        if held:
            until(lambda: ends or not thread.running(), 20)

    with installed_routing() as routing:
        thread = FlaskThread(
            function,
            {},
            routing=routing,
            output=output,
            ended=ends.append,
            max_buffer=4096,
            name="job",
        )
        thread.start()
        until(lambda: b"ready" in b"".join(seen) and len(thread.threads.list()) == threads)
        report: dict[str, Any] = {}

        def does_it() -> bool:
            """What it was about to do when it printed `ready`, it does soon."""
            report.update(report_of(thread.threads.list()))
            return report["doing"] == doing and bool(report["cpu_percent"] >= cpu_percent)

        until(does_it)
        thread.stop()
        until(lambda: ends)
    return report


def test_a_job_that_computes() -> None:
    def computes(running: Running) -> None:
        print("ready")
        while running():
            sum(range(1000))

    report = reported(computes, "computing", cpu_percent=10)
    (thread,) = report["threads"]
    assert (thread["doing"], thread["name"]) == ("computing", "job")
    assert report["processes"] == []
    assert thread["stack"][0]["function"] == "computes"
    assert thread["stack"][0]["file"] == __file__


def test_a_job_that_sleeps() -> None:
    def sleeps(running: Running) -> None:
        print("ready")
        while running():
            time.sleep(0.5)

    report = reported(sleeps, "sleeping")
    assert report["cpu_percent"] < 50
    (thread,) = report["threads"]
    assert thread["stack"][-1]["code"] == "time.sleep(0.5)"


def test_a_job_that_asks_is_shown_where_it_asks() -> None:
    def asks(running: Running) -> None:
        input("ready? ")

    report = reported(asks, "waiting for input")
    (thread,) = report["threads"]
    assert [each["function"] for each in thread["stack"]] == ["asks"]
    assert thread["stack"][0]["code"] == 'input("ready? ")'


def test_a_job_whose_output_nobody_takes() -> None:
    def floods(running: Running) -> None:
        print("ready")
        while running():
            print("x" * 1000)

    report = reported(floods, "waiting for room", held=True)
    (thread,) = report["threads"]
    assert thread["stack"][-1]["function"] == "floods"


def test_a_deadlock_shows_both_threads_where_they_wait() -> None:
    def deadlocks(running: Running) -> None:
        one, two = threading.Lock(), threading.Lock()
        both = threading.Barrier(2)

        def takes(first: threading.Lock, second: threading.Lock) -> None:
            with first:
                both.wait()
                while running() and not second.acquire(timeout=0.2):
                    continue

        threads = [
            threading.Thread(target=takes, args=locks, name=name)
            for name, locks in (("there", (one, two)), ("back", (two, one)))
        ]
        for thread in threads:
            thread.start()
        print("ready")
        for thread in threads:
            thread.join()

    report = reported(deadlocks, "sleeping", threads=3)
    stacks = {each["name"]: each["stack"] for each in report["threads"]}
    assert list(stacks) == ["job", "there", "back"]
    assert stacks["job"][0]["function"] == "deadlocks"
    for name in ("there", "back"):
        assert stacks[name][-1]["function"] == "takes"
        assert stacks[name][0]["function"] == "takes", "nothing of ours is before it"


def test_a_thread_of_a_pool_is_the_jobs_while_it_works_for_it() -> None:
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()  # its thread is there before the job

    def computes(running: Running) -> None:
        while running():
            sum(range(1000))

    def asks_pool(running: Running) -> None:
        work = pool.submit(computes, running)
        print("ready")
        work.result()

    report = reported(asks_pool, "computing", threads=2)
    assert [each["doing"] for each in report["threads"]] == ["sleeping", "computing"]
    pool.shutdown()


def test_coroutines_are_shown_where_they_wait() -> None:
    async def waits(running: Running) -> None:
        while running():
            await asyncio.sleep(0.3)

    async def main(running: Running) -> None:
        print("ready")
        other = asyncio.create_task(waits(running), name="other")
        await other

    report = reported(main, "sleeping")
    thread, *tasks = report["threads"]
    assert thread["name"] == "job"
    assert "other" in [task["name"] for task in tasks]
    stacks = {task["stack"][0]["function"]: task["stack"] for task in tasks}
    assert set(stacks) == {"main", "waits"}
    assert stacks["main"][-1]["code"] == "await other"
    assert [each["function"] for each in stacks["waits"]] == ["waits", "sleep"]
    assert stacks["waits"][0]["code"] == "await asyncio.sleep(0.3)"


def test_where_the_system_tells_no_cpu_time_the_report_says_so() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    nothing = threadreport.Sample(0, {})
    report = threadreport.report([thread], nothing, nothing)
    ended.set()
    thread.join()
    assert (report["doing"], report["cpu_percent"]) == ("running", 0)
    assert report["note"] == "This system does not tell the threads' CPU time."


def test_both_ways_of_the_kernel_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = threadreport.sample([threading.current_thread()])
    while time.thread_time() < 0.3:  # of the CPU, not of the clock
        sum(range(1000))
    exact = threadreport.sample([threading.current_thread()])
    read = Path.read_text

    def without_schedstat(path: Path) -> str:
        if path.name == "schedstat":
            raise FileNotFoundError(path)
        return read(path)

    monkeypatch.setattr(Path, "read_text", without_schedstat)
    coarse = threadreport.sample([threading.current_thread()])
    (native,) = begin.seconds
    assert exact.seconds[native] >= 0.3
    assert coarse.seconds[native] == pytest.approx(exact.seconds[native], abs=0.1)


def test_a_thread_that_has_ended_is_left_out() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    before = threadreport.sample([thread])
    thread.join()
    report = threadreport.report([thread], before, threadreport.sample([thread]))
    assert (report["doing"], report["threads"]) == ("ending", [])


def test_a_thread_that_others_keep_from_the_cpu_computes() -> None:
    """On a busy machine one may get next to nothing between two looks."""
    Look = threadreport.Sample
    wanting, waiting = Look(0, {1: 5.0}, frozenset({1})), Look(0.05, {1: 5.0})
    assert threadreport.computes(1, wanting, Look(0.05, {1: 5.0}, frozenset({1})))
    assert not threadreport.computes(1, wanting, waiting)
    assert threadreport.computes(1, wanting, Look(0.05, {1: 5.02}))
    assert not threadreport.computes(2, wanting, waiting)  # it has begun meanwhile
