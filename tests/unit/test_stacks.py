"""The stacks of threads, as a report shows them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask_realtime.isolation.stacks import MAX_FRAMES, frames_of, is_in, stack_of


@contextmanager
def waiting_thread(depth: int = 0) -> Iterator[threading.Thread]:
    """A thread that waits in `wait_here`, `depth` calls deep."""
    entered, leave = threading.Event(), threading.Event()

    def wait_here(left: int) -> None:
        if left:
            wait_here(left - 1)
            return
        entered.set()
        leave.wait()

    thread = threading.Thread(target=wait_here, args=(depth,))
    thread.start()
    entered.wait()
    yield thread
    leave.set()
    thread.join()


def test_a_stack_ends_with_where_the_thread_is() -> None:
    with waiting_thread() as thread:
        assert thread.ident is not None
        stack = stack_of(frames_of([thread])[thread.ident])
    functions = [each["function"] for each in stack]
    (own,) = [each for each in stack if each["function"] == "wait_here"]
    assert own["file"] == __file__
    assert own["code"] in ("leave.wait()", "entered.set()")
    assert own["line"] > 0
    assert functions.index("run") < functions.index("wait_here")


def test_of_a_deep_stack_the_innermost_frames_are_shown() -> None:
    with waiting_thread(depth=200) as thread:
        assert thread.ident is not None
        frame = frames_of([thread])[thread.ident]
        stack = stack_of(frame)
    assert len(stack) == MAX_FRAMES
    assert "wait_here" in [each["function"] for each in stack]
    assert "_bootstrap" not in [each["function"] for each in stack]


def test_a_thread_that_has_ended_has_no_frame() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert frames_of([thread]) == {}


def test_a_function_is_found_in_the_stack_that_calls_it() -> None:
    def inner() -> bool:
        return is_in(sys._getframe(), outer)

    def outer() -> bool:
        return inner()

    assert outer()
    assert not inner()
    assert not is_in(None, outer)
