"""What one can ask of a run at whatever process: to end, to read an answer, and to report."""

from __future__ import annotations

from typing import Any

from flask_realtime import host
from flask_realtime.errors import NotRunning, RealtimeError
from flask_realtime.isolation.promptio import MAX_INPUT
from flask_realtime.nodes.bus import Bus, Handler
from flask_realtime.registry import RunRegistry
from flask_realtime.running.runner import Runner
from flask_realtime.runs import Run, now

STOP_SECONDS = 2.0  # in which another process tells of the stop that it was asked for
ANSWER_SECONDS = 5.0  # in which another process answers; a report takes some 2 s at most


class RunCalls:
    """For greenlets of the hub's thread. Who may see a run has been asked before.

    Errors: NotRunning when the run waits in line or is over, or its process does not answer;
    StoreUnavailable when that is asked through Redis and Redis is away.
    """

    def __init__(self, runs: RunRegistry, runner: Runner) -> None:
        self.bus: Bus  # set by the engine, since the bus needs the handlers first
        self.heard = host.Signal()  # another process told of a change of a run
        self._runs = runs
        self._runner = runner
        self._reporting: dict[str, _Report] = {}  # one at a time for each run

    def handlers(self) -> dict[str, Handler]:
        """What is done with the messages of other processes, for the bus."""
        return {
            "stop": self._heard_stop,
            "input": self._heard_input,
            "report": self._heard_report,
        }

    def stop(self, run: Run, force: bool) -> Run:
        """Let the process that owns the run stop it; return the run as it is then."""
        if not self.bus.ask(run.owner, "stop", run=run.id, force=force):
            raise not_answering(run)
        host.wait_for(
            lambda: self._runs.get(run.id).state not in ("queued", "running"),
            self.heard,
            STOP_SECONDS,
        )
        return self._runs.get(run.id)

    def _heard_stop(self, message: dict[str, Any]) -> None:
        self._runner.stop_run(message["run"], force=message["force"])

    def give_input(self, run: Run, data: object, eof: object) -> None:
        """Let a run read `data`, and let its input end with `eof`; both as a client sent them.

        Raises RealtimeError for what they must not be, and InputFull.
        """
        if not isinstance(eof, bool):
            raise RealtimeError(f'"eof" must be true or false, not {eof!r:.50}')
        content = _content(data)
        if not content and not eof:
            raise RealtimeError('"data" is empty: give a text, with its line feed, or "eof": true')
        self._check_running(run)
        if self._runner.has(run):
            self._give(run.id, content, eof)
        else:
            self._call(run, "input", data=data, eof=eof)

    def _heard_input(self, message: dict[str, Any]) -> None:
        self._give(message["run"], _content(message["data"]), message["eof"])

    def _give(self, run_id: str, content: bytes, eof: bool) -> None:
        box = self._runner.executor.box(run_id)
        active = self._runner.active(run_id)
        if active.input_ended:
            raise NotRunning(f"the input of run {run_id} has been ended: it reads nothing more")
        if active.run.waiting and active.run.waiting["hidden"]:
            active.hide(content.decode())
        if content:
            box.input(content)
        if eof:
            active.input_ended = True
            box.end_input()

    def report(self, run: Run) -> dict[str, Any]:
        """What a run does now, as the protocol's `report` has it. Takes up to some 2 s."""
        self._check_running(run)
        if self._runner.has(run):
            return self._report(run.id)
        return self._call(run, "report")

    def _heard_report(self, message: dict[str, Any]) -> dict[str, Any]:
        return self._report(message["run"])

    def _report(self, run_id: str) -> dict[str, Any]:
        report = self._reporting.get(run_id)
        if report is None:
            report = self._reporting[run_id] = _Report()
            try:
                report.content = self._reported(run_id)
            except RealtimeError as error:
                report.fault = error
            finally:
                del self._reporting[run_id]
                report.ready.set()
        elif not report.ready.wait(ANSWER_SECONDS):
            raise NotRunning(f"run {run_id} does not say what it does: try again")
        if report.content is None:
            raise report.fault
        return report.content

    def _reported(self, run_id: str) -> dict[str, Any]:
        box = self._runner.executor.box(run_id)
        active = self._runner.active(run_id)
        said = box.report()
        return {
            "time": now(),
            "silent_seconds": active.silent_seconds(),
            "state": active.run.state,
            "waiting": active.run.waiting,
            **said,
        }

    def _check_running(self, run: Run) -> None:
        if run.final:
            raise NotRunning(f"run {run.id} has ended: it is {run.state}, and reads nothing more")
        if run.state == "queued":
            raise NotRunning(f"run {run.id} has not begun: it waits in line")

    def _call(self, run: Run, kind: str, **message: Any) -> dict[str, Any]:
        answer = self.bus.call(run.owner, kind, ANSWER_SECONDS, run=run.id, **message)
        if answer is None:
            raise not_answering(run)
        return answer


class _Report:
    """One that is being made, for all who have asked for it meanwhile."""

    def __init__(self) -> None:
        self.ready = host.Signal()
        self.content: dict[str, Any] | None = None
        self.fault: Exception = NotRunning("the report was not finished: try again")


def not_answering(run: Run) -> NotRunning:
    """The process that owns `run` does not answer."""
    return NotRunning(
        f"the server process that runs {run.id}, on {run.host}, does not answer; "
        "if it is gone, the run is marked lost within 30 s"
    )


def _content(data: object) -> bytes:
    if not isinstance(data, str):
        raise RealtimeError(f'"data" must be a text, not {data!r:.50}')
    try:
        content = data.encode()
    except UnicodeEncodeError as error:
        raise RealtimeError(f'"data" has half a character at {error.start}') from None
    if len(content) > MAX_INPUT:
        raise RealtimeError(
            f'"data" has {len(content)} bytes, and at most {MAX_INPUT} are taken at once: '
            "send it in parts"
        )
    return content
