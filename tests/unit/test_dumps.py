"""Stacks that faulthandler writes, read into what a report shows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flask_realtime.isolation.control import Dumps, Ready, Threads, report_order, stop_order
from flask_realtime.isolation.dumps import parse_stack, take_dump
from tests.support.child import Child, write_job
from tests.support.patience import eventually

DUMP = """\
Stack (most recent call first):
  Garbage-collecting
  File "/jobs/caf\\xe9 \\u20ac \\U0001f600.py", line 7 in <listcomp>
  File ???, line ??? in ???
  File "/jobs/tidy.py", line 9 in tidy
  ...
"""


def frame(file: str, line: int, function: str) -> dict[str, object]:
    return {"file": file, "line": line, "function": function, "code": ""}


def test_what_faulthandler_writes_becomes_a_stack_innermost_frame_last() -> None:
    assert parse_stack(DUMP) == [
        frame("/jobs/tidy.py", 9, "tidy"),
        frame("???", 0, "???"),
        frame("/jobs/café € 😀.py", 7, "<listcomp>"),
    ]


def test_a_stack_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    assert parse_stack("") == parse_stack("Stack (most\n  File") == []
    assert parse_stack(DUMP[:-12]) == parse_stack(DUMP)[1:]


def test_names_that_are_no_text_stay_spelled_out() -> None:
    (found,) = parse_stack('  File "/a\\udce9\\U00110000", line 1 in f\n')
    assert found["file"] == "/a\\udce9\\U00110000"


# The search for a pattern lets go of the interpreter's lock only at its end, which is years away.
HOLDS_THE_LOCK = """
    import re, threading

    def tidy(running):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        print("begins")
        inner("a" * 60)

    def inner(text):
        re.compile("(a+)+b").match(text)
    """

# A C function that PyDLL calls holds the lock as well, and this one ends early by any signal.
WAITS_WITH_THE_LOCK = """
    import ctypes

    def tidy(running):
        print("begins")
        left = ctypes.PyDLL(None).sleep(1000)
        print("the sleep ended with", left, "left")
    """


def test_stacks_are_read_of_a_job_whose_c_code_holds_the_interpreter(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, HOLDS_THE_LOCK)) as child:
        ready = child.told(Ready)
        child.output_until("begins")
        child.send(report_order(1))
        (main,) = dumped(ready, {"inner"})  # the other thread waits, and is left alone
        assert (main["name"], main["ident"]) == ("MainThread", child.process.pid)
        assert [(each["function"], each["code"]) for each in main["stack"]] == [
            ("tidy", 'inner("a" * 60)'),
            ("inner", 're.compile("(a+)+b").match(text)'),
        ]


def test_a_wait_of_c_code_is_not_ended_by_a_look_at_it(tmp_path: Path) -> None:
    with Child(write_job(tmp_path, WAITS_WITH_THE_LOCK)) as child:
        ready = child.told(Ready)
        assert ready.dumps is not None
        child.output_until("begins")
        dumps = ready.dumps
        eventually(lambda: take_dump(ready.pid, dumps) == [])
        for _ in range(5):
            assert take_dump(ready.pid, dumps) == []
        child.process.kill()
        assert "the sleep ended" not in child.rest()


def dumped(ready: Ready, functions: set[str]) -> list[dict[str, Any]]:
    """Take dumps until the threads are in these functions."""

    def threads() -> list[dict[str, Any]] | None:
        assert ready.dumps is not None
        taken = take_dump(ready.pid, ready.dumps)
        found = {each["stack"][-1]["function"] for each in taken}
        return taken if found == functions else None

    return eventually(threads)


def test_a_job_that_runs_on_survives_its_dumps(tmp_path: Path) -> None:
    text = """
        import sys, threading

        sys.setswitchinterval(0.1)  # so that one runs on while it is looked at

        def depth(number):
            return number and 1 + depth(number - 1)

        def computes(running):
            while running():
                depth(50)

        def tidy(running):
            threads = [threading.Thread(target=computes, args=(running,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            print("begins")
            computes(running)
        """
    with Child(write_job(tmp_path, text)) as child:
        ready = child.told(Ready)
        assert ready.dumps is not None
        child.output_until("begins")
        seen = [each for _ in range(20) for each in take_dump(ready.pid, ready.dumps)]
        assert "computes" in {each["stack"][0]["function"] for each in seen}
        child.send(stop_order())
        assert child.end().state == "stopped"


def test_a_report_shows_the_threads_of_a_job(tmp_path: Path) -> None:
    text = """
        import threading, time

        def computes(running):
            while running():
                pass

        def tidy(running):
            thread = threading.Thread(target=computes, args=(running,), name="Computer")
            thread.start()
            print("begins")
            thread.join()
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("begins")
        child.send(report_order(7))
        told = child.told(Threads)
    assert told.number == 7
    main, other = told.threads
    assert (main["name"], main["doing"]) == ("MainThread", "sleeping")
    assert (other["name"], other["doing"]) == ("Computer", "computing")
    assert main["stack"][0]["function"] == "tidy"
    assert main["stack"][0]["code"] in ("thread.join()", 'print("begins")')
    assert other["stack"][0]["function"] == "computes"


def test_a_report_that_fails_says_so_and_ends_no_job(tmp_path: Path) -> None:
    text = """
        import sys, time

        def tidy(running):
            def refuse():
                raise LookupError("no frames here")

            sys._current_frames = refuse
            print("begins")
            while running():
                time.sleep(0.01)
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("begins")
        child.send(report_order(1))
        (thread,) = child.told(Threads).threads
        assert thread["name"] == "its stacks cannot be read: LookupError('no frames here')"
        child.send(stop_order())
        assert child.end().state == "stopped"


def test_a_report_shows_where_the_tasks_of_a_loop_wait(tmp_path: Path) -> None:
    text = """
        import asyncio

        async def inner():
            print("begins")
            await asyncio.Event().wait()

        async def tidy(running):
            await asyncio.gather(asyncio.create_task(inner(), name="Waiter"))
        """
    with Child(write_job(tmp_path, text)) as child:
        child.output_until("begins")
        shown: list[dict[str, Any]] = []

        def reported() -> bool:
            child.send(report_order(1))
            shown[:] = child.told(Threads).threads
            return len(shown) == 3 and all(each["stack"] for each in shown)

        eventually(reported)
        main, *tasks = shown
    assert (main["name"], main["doing"]) == ("MainThread", "sleeping")
    stacks = {
        task["name"]: [(each["function"], each["code"]) for each in task["stack"]] for task in tasks
    }
    assert stacks["Waiter"][:1] == [("inner", "await asyncio.Event().wait()")]
    assert stacks["Waiter"][-1][0] == "wait"
    (other,) = stacks.keys() - {"Waiter"}
    assert stacks[other][0][0] == "tidy"
    assert {task["doing"] for task in tasks} == {"sleeping"}


def test_a_process_that_is_another_program_now_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(OSError, match=r"No such file|no file for stacks"):
            take_dump(process.pid, Dumps(descriptor=2000, control=2))
        with pytest.raises(OSError, match=r"No such file|no file for stacks"):
            take_dump(process.pid, Dumps(descriptor=1, control=2))
        assert process.poll() is None
        process.kill()
    with pytest.raises(OSError, match="No such file"):
        take_dump(process.pid, Dumps(descriptor=1, control=2))


def test_a_source_that_cannot_be_read_gives_no_code(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.py")
    text = f"""
        import re

        def tidy(running):
            print("begins")
            inner("a" * 60)

        text = "def inner(text): re.compile('(a+)+b').match(text)"
        exec(compile(text, {str(tmp_path / "fifo.py")!r}, "exec"))
        """
    with Child(write_job(tmp_path, text)) as child:
        ready = child.told(Ready)
        child.output_until("begins")
        (main,) = dumped(ready, {"inner"})
        assert main["stack"][-1]["code"] == ""
