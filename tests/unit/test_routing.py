"""Where print() goes: to the job in whose context it is called, and elsewhere where it went."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Protocol

import pytest

from flask_realtime.pipeio import STDERR, STDOUT, OutputPipe
from flask_realtime.routing import Routing

START, SUBMIT = threading.Thread.start, ThreadPoolExecutor.submit


class Outside:
    """The streams that `sys` had before: what they got, and a name to know them by."""

    def __init__(self) -> None:
        self.stdin = io.StringIO("the terminal of the server\n")
        self.stdout = io.TextIOWrapper(io.BytesIO(), "ascii", "backslashreplace")
        self.stderr = io.StringIO()

    @property
    def printed(self) -> str:
        self.stdout.flush()
        buffer = self.stdout.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@contextmanager
def streams(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """Give `sys` streams of our own. In the test's body: pytest sets its own before that."""
    made = Outside()
    with monkeypatch.context() as patch:
        for name in ("stdin", "stdout", "stderr"):
            patch.setattr(sys, name, getattr(made, name))
        yield made


class Routed(Protocol):
    def __call__(self) -> AbstractContextManager[tuple[Routing, Outside]]: ...


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> Routed:
    @contextmanager
    def install() -> Iterator[tuple[Routing, Outside]]:
        with streams(monkeypatch) as outside:
            routing = Routing()
            routing.install()
            try:
                yield routing, outside
            finally:
                routing.uninstall()

    return install


class Job:
    """A context whose output is routed to a pipe of its own."""

    def __init__(self, routing: Routing) -> None:
        self.pipe = OutputPipe(1 << 26)  # more than a test prints: it is read at the end
        self._context = contextvars.copy_context()
        self._context.run(routing.enter, self.pipe)

    def run(self, function: Callable[[], object]) -> None:
        """Run `function` in this job, on a thread of its own, to its end."""
        thread = threading.Thread(target=self._context.run, args=(function,))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

    def output(self) -> list[tuple[int, bytes]]:
        self.pipe.close()
        batches, _ = self.pipe.take()
        self.pipe.dispose()
        return batches


def test_stdout_and_stderr_of_a_job_keep_their_streams_and_their_order(routed: Routed) -> None:
    with routed() as (routing, outside):

        def body() -> None:
            print("one")
            print("two", file=sys.stderr)
            sys.stdout.writelines(["three", "\n"])

        job = Job(routing)
        job.run(body)
        assert job.output() == [(STDOUT, b"one\n"), (STDERR, b"two\n"), (STDOUT, b"three\n")]
        assert outside.printed == outside.stderr.getvalue() == ""


def test_what_others_print_stays_where_it_was(routed: Routed) -> None:
    with routed() as (routing, outside):
        job = Job(routing)
        job.run(lambda: print("mine"))
        print("the server's")
        print("its trouble", file=sys.stderr)
        thread = threading.Thread(target=print, args=("a thread of the server",))
        thread.start()
        thread.join()
        assert outside.printed == "the server's\na thread of the server\n"
        assert outside.stderr.getvalue() == "its trouble\n"
        assert job.output() == [(STDOUT, b"mine\n")]


def test_bytes_written_to_the_buffer_arrive_as_they_are(routed: Routed) -> None:
    with routed() as (routing, _):

        def body() -> None:
            print("text")
            sys.stdout.buffer.write(b"\xff\x00")
            sys.stderr.buffer.write(b"\xfe")

        job = Job(routing)
        job.run(body)
        assert job.output() == [(STDOUT, b"text\n\xff\x00"), (STDERR, b"\xfe")]


def test_the_buffer_outside_of_jobs_is_the_one_that_was_there(routed: Routed) -> None:
    with routed() as (_, outside):
        sys.stdout.buffer.write(b"\xc3\xa4")
        assert outside.printed == "ä"
        assert sys.stdout.buffer is outside.stdout.buffer
        assert (sys.stdout.encoding, sys.stdout.errors) == ("ascii", "backslashreplace")


def test_a_job_sees_a_stream_of_its_own(routed: Routed) -> None:
    with routed() as (routing, _):
        seen: list[object] = []

        def body() -> None:
            sys.stdout.close()
            sys.stdout.flush()
            seen.extend([sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.closed])
            seen.extend([sys.stdout.writable(), sys.stdout.name])
            print("still open")

        job = Job(routing)
        job.run(body)
        assert seen == ["utf-8", False, False, True, "<stdout>"]
        assert job.output() == [(STDOUT, b"still open\n")]


def test_the_input_of_a_job_is_empty_and_the_servers_is_untouched(routed: Routed) -> None:
    with routed() as (routing, _):
        read: list[object] = []

        def body() -> None:
            read.append(sys.stdin.read())
            with pytest.raises(EOFError):
                input()

        job = Job(routing)
        job.run(body)
        assert read == [""]
        assert sys.stdin.readline() == "the terminal of the server\n"
        assert job.output() == []


def in_a_thread(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def in_a_thread_of_a_thread(function: Callable[[], object]) -> None:
    in_a_thread(lambda: in_a_thread(function))


def in_a_thread_by_subclass(function: Callable[[], object]) -> None:
    class Worker(threading.Thread):
        def run(self) -> None:
            function()

    worker = Worker()
    worker.start()
    worker.join()


def in_a_timer(function: Callable[[], object]) -> None:
    timer = threading.Timer(0, function)
    timer.start()
    timer.join()


def in_a_pool(function: Callable[[], object]) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(function).result()


def in_a_map(function: Callable[[], object]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: function(), [1]))


def in_a_task(function: Callable[[], object]) -> None:
    async def task() -> None:
        function()

    async def main() -> None:
        await asyncio.gather(asyncio.create_task(task()))

    asyncio.run(main())


def in_a_thread_of_asyncio(function: Callable[[], object]) -> None:
    asyncio.run(asyncio.to_thread(function))


def in_the_executor_of_a_loop(function: Callable[[], object]) -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, function)

    asyncio.run(main())


def in_a_callback_of_a_loop(function: Callable[[], object]) -> None:
    async def main() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_soon(function)
        loop.call_soon(done.set)
        await done.wait()

    asyncio.run(main())


@pytest.mark.parametrize(
    "place",
    [
        in_a_thread,
        in_a_thread_of_a_thread,
        in_a_thread_by_subclass,
        in_a_timer,
        in_a_pool,
        in_a_map,
        in_a_task,
        in_a_thread_of_asyncio,
        in_the_executor_of_a_loop,
        in_a_callback_of_a_loop,
    ],
)
def test_what_a_job_starts_prints_into_the_job(
    place: Callable[[Callable[[], object]], None], routed: Routed
) -> None:
    with routed() as (routing, outside):
        job = Job(routing)
        job.run(lambda: place(lambda: print("from inside")))
        assert job.output() == [(STDOUT, b"from inside\n")]
        assert outside.printed == ""


def say(pool: ThreadPoolExecutor, name: str, number: int) -> None:
    pool.submit(print, name, number).result()


def test_a_pool_that_jobs_share_prints_into_the_job_that_gave_the_work(routed: Routed) -> None:
    with routed() as (routing, outside):
        first, second = Job(routing), Job(routing)
        with ThreadPoolExecutor(1) as pool:
            for number in range(3):
                first.run(partial(say, pool, "first", number))
                second.run(partial(say, pool, "second", number))
                say(pool, "nobody's", number)
        assert first.output() == [(STDOUT, b"first 0\nfirst 1\nfirst 2\n")]
        assert second.output() == [(STDOUT, b"second 0\nsecond 1\nsecond 2\n")]
        assert outside.printed == "nobody's 0\nnobody's 1\nnobody's 2\n"


LINES = 2000


def print_from_tasks_and_a_thread(name: str, meet: threading.Barrier) -> None:
    async def task(kind: str) -> None:
        for number in range(LINES):
            sys.stdout.write(f"{name} {kind} {number}\n")  # print() would write twice
            if number % 50 == 0:
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(task("a"), task("b"))

    def count() -> None:
        meet.wait(60)
        for number in range(LINES):
            sys.stdout.write(f"{name} thread {number}\n")

    helper = threading.Thread(target=count)
    helper.start()
    meet.wait(60)
    asyncio.run(main())
    helper.join()


def test_two_jobs_that_print_at_once_never_mix(routed: Routed) -> None:
    with routed() as (routing, outside):
        meet = threading.Barrier(4)
        jobs = {name: Job(routing) for name in ("left", "right")}
        threads = [
            threading.Thread(
                target=job.run, args=(partial(print_from_tasks_and_a_thread, name, meet),)
            )
            for name, job in jobs.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        for name, job in jobs.items():
            output = b"".join(data for _, data in job.output()).decode().splitlines()
            for kind in ("a", "b", "thread"):
                mine = [line for line in output if line.startswith(f"{name} {kind} ")]
                assert mine == [f"{name} {kind} {number}" for number in range(LINES)]
            assert len(output) == 3 * LINES
        assert outside.printed == ""


def test_a_log_handler_that_was_made_before_follows_the_context(routed: Routed) -> None:
    with routed() as (routing, outside):
        logger = logging.Logger("of-this-test")
        logger.addHandler(logging.StreamHandler(sys.stderr))
        job = Job(routing)
        job.run(lambda: logger.warning("inside"))
        logger.warning("outside")
        assert job.output() == [(STDERR, b"inside\n")]
        assert outside.stderr.getvalue() == "outside\n"


def test_an_exception_that_ends_a_thread_of_a_job_is_reported_in_the_job(
    routed: Routed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with routed() as (routing, outside):
        monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
        job = Job(routing)
        job.run(lambda: in_a_thread(lambda: 1 // 0))
        output = b"".join(data for _, data in job.output())
        assert b"ZeroDivisionError" in output
        assert outside.stderr.getvalue() == ""


def test_uninstall_puts_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with streams(monkeypatch) as outside:
        routing = Routing()
        routing.install()
        assert sys.stdout is not outside.stdout
        assert threading.Thread.start is not START
        routing.uninstall()
        assert (sys.stdin, sys.stdout, sys.stderr) == (
            outside.stdin,
            outside.stdout,
            outside.stderr,
        )
        assert threading.Thread.start is START
        assert ThreadPoolExecutor.submit is SUBMIT
        routing.uninstall()
        assert sys.stdout is outside.stdout


def test_uninstall_leaves_what_somebody_else_put_there_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with streams(monkeypatch) as outside:
        routing = Routing()
        routing.install()
        other = io.StringIO()
        sys.stdout = other
        routing.uninstall()
        assert sys.stdout is other
        assert sys.stderr is outside.stderr


def test_a_program_without_streams_can_be_routed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    routing = Routing()
    routing.install()
    job = Job(routing)
    job.run(lambda: print("into nothing"))
    routing.uninstall()
    assert job.output() == []
    assert sys.stdout is None
