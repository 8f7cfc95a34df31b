"""The output of runs as those who watch ask for it: how much there is, and from where on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.errors import BadOffset, UnknownRun
from flask_realtime.outputlog import READ_ENTRIES, READ_ENTRIES_MAX, OutputLog
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run
from flask_realtime.tail import Item
from flask_realtime.watching.messages import before, excerpt, merged
from flask_realtime.watching.viewers import Send, Viewers

READ_MAX = 1 << 18  # bytes of one read
CATCH_UP_SECONDS = 4.0  # in which what an owner has shown is stored, if Redis answers
CATCH_UP_POLL_SECONDS = 0.05


class RunOutputs:
    """What is between a run's record and its output. For greenlets of the hub's thread.

    Who may see a run has been asked before (`Engine.get_run`). `over(run)` is called, once or more,
    when one that another process owns is found to be over.
    """

    def __init__(self, runs: RunRegistry, log: OutputLog, viewers: Viewers) -> None:
        self._runs = runs
        self._log = log
        self._viewers = viewers
        self.over: Callable[[Run], None] = lambda run: None

    def present(self, run: Run) -> dict[str, Any]:
        """The run as the wire protocol has it, its output counted up to now."""
        record = run.public()
        writer = self._log.writer(run.id)
        if writer is not None and not run.final:
            record["output_bytes"] = writer.tail.end
            record["output_lines"] = writer.tail.end_line - 1
        return record

    def attach(
        self,
        run: Run,
        client: str,
        send: Send,
        *,
        offset: int = 0,
        tail: int | None = None,
        line: int | None = None,
    ) -> tuple[int, int]:
        """Let `client` follow a run from `offset`, `tail` bytes before its end, or from `line` on.

        Returns the offset at which it begins, and the number of the line that this lies in. Raises
        BadOffset, BadLine, LineGone, TooManyViewers, StoreUnavailable and ArchiveUnavailable.
        """
        end = self._end_from(run, offset)
        if line is not None:
            start = self._log.offset_of_line(run.id, line)
        else:
            start = offset if tail is None else max(0, end - tail)
            line = self._line_of(run, start, end)
        self._viewers.attach(
            client, run.id, start, send, end=max(start, end), run_ended=lambda: self.ended(run)
        )
        return start, line

    def read(
        self, run: Run, *, offset: int = 0, line: int | None = None, size: int
    ) -> dict[str, Any]:
        """A piece of a run's output from `offset` or `line` on, as the wire protocol has it.

        It has `size` bytes, or what there is; a gap in it is whole. Raises as `attach` does.
        """
        if line is not None:
            offset = self._log.offset_of_line(run.id, line)
        end = self._end_from(run, offset)
        if not 0 <= offset <= end:
            raise self._outside(run, offset, end)
        items: list[Item] = []
        reached, entries = offset, READ_ENTRIES
        while reached < min(end, offset + size):
            more = self._log.read(run.id, reached, offset + size - reached, entries)
            if not more:
                break
            items += more
            reached = more[-1].end
            entries = min(2 * entries, READ_ENTRIES_MAX)  # they are small
        return {
            **excerpt(merged(before(items, offset + size))),
            "end": end,
            "end_line": self._log.end_line(run.id),
        }

    def _end_from(self, run: Run, offset: int) -> int:
        """The end of a run's output, waited for a moment if it is before `offset`.

        Who followed the run at the process that owns it may have seen more than is stored, and ask
        for what follows here.
        """
        deadline = host.Deadline(CATCH_UP_SECONDS)
        while True:
            end = self.end(run)
            is_near = 0 < offset - end <= self._log.tail_bytes
            if not is_near or self._log.writer(run.id) or not deadline.left() or self.ended(run):
                return end
            host.sleep(CATCH_UP_POLL_SECONDS)

    def _line_of(self, run: Run, offset: int, end: int) -> int:
        if not 0 <= offset <= end:
            raise self._outside(run, offset, end)
        return self._log.line_of(run.id, offset)

    def _outside(self, run: Run, offset: int, end: int) -> BadOffset:
        return BadOffset(
            f"offset {offset} is outside the output of run {run.id}, which has {end} bytes"
        )

    def end(self, run: Run) -> int:
        """The number of bytes that a run has put out so far."""
        return self._log.end(run.id)

    def ended(self, run: Run) -> bool:
        """Whether the run is over: then what can be read now is all there will be."""
        if run.final or run.owner == self._runs.owner:
            return run.final
        try:
            now = self._runs.get(run.id)
        except UnknownRun:  # it was removed, as only runs are that are over
            return True
        if now.final:
            self.over(now)  # the message of its owner may have been lost
        return now.final
