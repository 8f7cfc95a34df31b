"""What the threads of a job do: the report of a run in isolation `thread`."""

from __future__ import annotations

import concurrent.futures.thread
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import flask_realtime
from flask_realtime.isolation.coroutines import tasks_in
from flask_realtime.isolation.promptio import Answers
from flask_realtime.isolation.stacks import frames_of, is_in, stack_of
from flask_realtime.pipeio import OutputPipe

SAMPLE_SECONDS = 0.15  # between two looks at how much CPU time each thread has had
COMPUTING = 0.1  # of one CPU; threads of one interpreter share its lock, so few have much

# What a thread can do; the first that holds for one of them is what the job does.
DOING = ("waiting for input", "waiting for room", "computing", "sleeping", "running")

_HERE = Path(flask_realtime.__file__).parent
_OUTER = {  # what is around a job's own code
    threading.__file__,
    concurrent.futures.thread.__file__,
    *(str(_HERE / name) for name in ("flaskthread.py", "isolation/jobthreads.py", "routing.py")),
}
_INNER = {  # what it calls when it prints and asks
    str(_HERE / name)
    for name in ("pipeio.py", "isolation/promptio.py", "routing.py", "isolation/hiddeninput.py")
}


@dataclass(frozen=True)
class Sample:
    """When it was taken, in seconds, and the CPU seconds that each thread has had until then."""

    time: float
    seconds: dict[int, float]  # by native id
    running: frozenset[int] = frozenset()  # those that had a CPU, or waited for one


def sample(threads: Sequence[threading.Thread]) -> Sample:
    """Look at the CPU time of `threads` of this process; quick."""
    seconds = {}
    running = set()
    for thread in threads:
        if thread.native_id is not None:
            try:
                seconds[thread.native_id], is_running = _look(thread.native_id)
            except OSError:
                continue  # it has ended meanwhile
            if is_running:
                running.add(thread.native_id)
    return Sample(time.monotonic(), seconds, frozenset(running))


def _look(native_id: int) -> tuple[float, bool]:
    """CPU seconds until now, and whether it wants more just now.

    Who waits for the interpreter's lock alone does: reading the file gives that away. Raises
    OSError where the system does not tell, or the thread has ended (proc(5)).
    """
    thread = Path(f"/proc/self/task/{native_id}")
    state, *fields = (thread / "stat").read_text().rpartition(")")[2].split()
    with suppress(FileNotFoundError):  # not every kernel has it
        return int((thread / "schedstat").read_text().split()[0]) / 1e9, state == "R"
    return sum(map(int, fields[10:12])) / os.sysconf("SC_CLK_TCK"), state == "R"  # of 10 ms


def computes(native_id: int, before: Sample, after: Sample) -> bool:
    """Whether it used much of a CPU between two looks, or wanted it at both while others had it."""
    used = after.seconds.get(native_id, 0) - before.seconds.get(native_id, 0)
    if used >= COMPUTING * (after.time - before.time):
        return True
    return native_id in before.running & after.running


def report(threads: Sequence[threading.Thread], before: Sample, after: Sample) -> dict[str, Any]:
    """The report's part that a box gives; `threads` are those of both samples.

    It reads source code from the disk, so not for the hub's thread.
    """
    frames = frames_of(threads)
    elapsed = max(after.time - before.time, 1e-3)
    shown = []
    shares = []
    tasks: list[dict[str, Any]] = []
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        if frame is None:
            continue  # it has ended, or not begun
        native = thread.native_id or 0
        used = None
        if native in before.seconds and native in after.seconds:
            used = (after.seconds[native] - before.seconds[native]) / elapsed
            shares.append(used)
        shown.append(
            {
                "name": thread.name,
                "ident": thread.ident,
                "doing": _doing(frame, None if used is None else computes(native, before, after)),
                "stack": _without_ours(stack_of(frame)),
            }
        )
        tasks += tasks_in(frame)
    all_doing = {each["doing"] for each in shown}
    return {
        "doing": next((doing for doing in DOING if doing in all_doing), "ending"),
        "cpu_percent": round(100 * sum(shares), 1),
        "processes": [],
        "threads": shown + [{**task, "stack": _without_ours(task["stack"])} for task in tasks],
        "note": "" if shares or not shown else "This system does not tell the threads' CPU time.",
    }


def _doing(frame: FrameType, computing: bool | None) -> str:
    if is_in(frame, Answers._more, Answers.turn.__wrapped__):  # type: ignore[attr-defined]
        return "waiting for input"
    if is_in(frame, OutputPipe.put):
        return "waiting for room"
    if computing is None:
        return "running"
    return "computing" if computing else "sleeping"


def _without_ours(stack: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The job's own frames, if it has any: up to where it asks, prints, or does what it does."""
    begin = 0
    while begin < len(stack) and stack[begin]["file"] in _OUTER:
        begin += 1
    end = begin
    while end < len(stack) and stack[end]["file"] not in _INNER:
        end += 1
    return stack[begin:end] or stack
