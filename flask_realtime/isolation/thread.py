"""Isolation `thread`: a run is a FlaskThread of this process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask_realtime import currentrun, host
from flask_realtime.flaskthread import FlaskThread
from flask_realtime.isolation import threadreport
from flask_realtime.isolation.box import Exit, Launch, Watcher
from flask_realtime.routing import Routing


class ThreadBox:
    """A thread can be asked to end, and interrupted where it runs Python; it cannot be killed."""

    deadly = False

    def __init__(self, routing: Routing, launch: Launch, watcher: Watcher) -> None:
        self._launch = launch
        self._watcher = watcher
        self._broken = ""
        self._thread = FlaskThread(
            launch.job.function,
            launch.params,
            routing=routing,
            output=watcher.output,
            ended=self._ended,
            prepare=self._prepare,
            progressed=watcher.progress,
            asked=watcher.waiting,
            max_buffer=launch.options.job_buffer_bytes,
            name=f"{launch.job.name}-{launch.run.id[-6:]}",
        )

    def _prepare(self) -> None:
        """In the job's thread."""
        self._launch.prepare()
        say = self._thread.say_progress
        currentrun.enter(replace(self._launch.run, report_progress=say))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def force(self) -> None:
        """Raise SystemExit in it, at the next Python instruction that it runs."""
        self._thread.force()

    def end(self, reason: str) -> None:
        self._broken = reason
        self._thread.force()

    def input(self, data: bytes) -> None:
        self._thread.answers.give(data)

    def end_input(self) -> None:
        self._thread.answers.end()

    def report(self) -> dict[str, Any]:
        threads = self._thread.threads.list()
        before = threadreport.sample(threads)
        host.sleep(threadreport.SAMPLE_SECONDS)
        after = threadreport.sample(threads)
        return host.offload(threadreport.report, threads, before, after)

    def _ended(self, end: Exit) -> None:
        if self._broken:
            end = replace(end, state="failed", code=end.code or 1, reason=self._broken)
        self._watcher.ended(end)
