"""What the threads of this process do, for a report. Loaded when the first is asked for."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from flask_realtime.isolation.coroutines import tasks_in
from flask_realtime.isolation.ownframes import without_ours
from flask_realtime.isolation.stacks import stack_of
from flask_realtime.isolation.threadreport import Sample, computes, sample

LOOK_SECONDS = 0.05  # in which a thread has to use CPU time to be one that computes


def threads_of_process(but: int) -> list[dict[str, Any]]:
    """All that run Python code, without that with the ident `but`, and the tasks of their loops.

    Takes LOOK_SECONDS.
    """
    known = {thread.ident: thread for thread in threading.enumerate()}
    before = sample(list(known.values()))
    time.sleep(LOOK_SECONDS)
    after = sample(list(known.values()))
    threads = []
    tasks: list[dict[str, Any]] = []
    for ident, frame in sys._current_frames().items():
        if ident == but:
            continue
        thread = known.get(ident)  # none for one that C code has started
        threads.append(
            {
                "name": thread.name if thread else f"thread {ident}",
                "ident": ident,
                "doing": _doing(thread, before, after) if thread else "",
                "stack": without_ours(stack_of(frame)),
            }
        )
        tasks += tasks_in(frame)
    main = threading.main_thread().ident
    shown = [{**task, "stack": without_ours(task["stack"])} for task in tasks]
    return sorted(threads, key=lambda each: each["ident"] != main) + shown


def _doing(thread: threading.Thread, before: Sample, after: Sample) -> str:
    return "computing" if computes(thread.native_id or 0, before, after) else "sleeping"
