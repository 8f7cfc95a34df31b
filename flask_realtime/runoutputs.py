"""The output of runs as those who watch ask for it: how much there is, and from where on."""

from __future__ import annotations

from typing import Any

from flask_realtime.errors import BadOffset
from flask_realtime.outputlog import OutputLog
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run
from flask_realtime.viewers import Emit, Viewers


class RunOutputs:
    """What is between a run's record and its output. For greenlets of the hub's thread.

    Who may see a run has been asked before (`Engine.get_run`).
    """

    def __init__(self, runs: RunRegistry, log: OutputLog, viewers: Viewers) -> None:
        self._runs = runs
        self._log = log
        self._viewers = viewers

    def present(self, run: Run) -> dict[str, Any]:
        """The run as the wire protocol has it, its output counted up to now."""
        record = run.public()
        writer = self._log.writer(run.id)
        if writer is not None and not run.final:
            record["output_bytes"] = writer.tail.end
            record["output_lines"] = writer.tail.end_line - 1
        return record

    def attach(
        self, run: Run, client: str, emit: Emit, *, offset: int = 0, tail: int | None = None
    ) -> int:
        """Let `client` follow a run from `offset`, or from `tail` bytes before its end.

        Returns the offset at which it begins. Raises BadOffset, TooManyViewers and
        StoreUnavailable.
        """
        end = self.end(run)
        start = offset if tail is None else max(0, end - tail)
        if not 0 <= start <= end:
            raise BadOffset(
                f"offset {start} is outside the output of run {run.id}, which has {end} bytes"
            )
        self._viewers.attach(client, run.id, start, emit, lambda: self.ended(run))
        return start

    def end(self, run: Run) -> int:
        """The number of bytes that a run has put out so far."""
        return self._log.end(run.id)

    def ended(self, run: Run) -> bool:
        """Whether the run is over: then what can be read now is all there will be."""
        return run.final or (run.owner != self._runs.owner and self._runs.get(run.id).final)
