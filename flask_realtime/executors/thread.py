"""Executor `thread`: a run is a FlaskThread in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.flaskthread import Exit, FlaskThread
from flask_realtime.jobs import Job
from flask_realtime.routing import Routing


class ThreadExecutor:
    """Starts and stops the runs of this process. For the hub's thread."""

    name = "thread"

    def __init__(self, routing: Routing, *, max_buffer: int) -> None:
        self._routing = routing
        self._max_buffer = max_buffer
        self._threads: dict[str, FlaskThread] = {}
        self._ended = host.Signal()

    def start(
        self,
        run: str,
        job: Job,
        params: dict[str, Any],
        prepare: Callable[[], None],
        output: Callable[[int, bytes], None],
        ended: Callable[[Exit], None],
    ) -> None:
        """Start `job`; `output(stream, data)`, at last `ended(exit)`, are called in a greenlet.

        `prepare()` is called in the job's context, before it.
        """

        def on_end(end: Exit) -> None:
            del self._threads[run]
            self._ended.set()
            ended(end)

        thread = FlaskThread(
            job.function,
            params,
            routing=self._routing,
            output=output,
            ended=on_end,
            prepare=prepare,
            max_buffer=self._max_buffer,
            name=f"{job.name}-{run[-6:]}",
        )
        self._threads[run] = thread
        thread.start()

    def stop(self, run: str, *, force: bool) -> None:
        """Ask a run to end; `force` raises SystemExit in it. A run that is over is left alone."""
        thread = self._threads.get(run)
        if thread is None:
            return
        if force:
            thread.force()
        else:
            thread.stop()

    def wait_until(self, run: str, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end of a run; True when it is over."""
        return host.wait_for(lambda: run not in self._threads, self._ended, timeout)
