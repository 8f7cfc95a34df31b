"""Reads a run's output from front to back."""

from __future__ import annotations

from flask_realtime.outputlog import READ_ENTRIES, READ_ENTRIES_MAX, OutputLog
from flask_realtime.tail import Gap, Item


class LogReader:
    """Reads about `max_bytes` at a time; where entries in Redis are small, more of them.

    For one greenlet of the hub's thread. Raises what `OutputLog.read` does.
    """

    def __init__(self, log: OutputLog, run: str, max_bytes: int) -> None:
        self._log = log
        self._run = run
        self._max_bytes = max_bytes
        self._entries = READ_ENTRIES

    def read(self, offset: int) -> list[Item]:
        """The output from byte `offset` on; nothing at its end so far."""
        items = self._log.read(self._run, offset, self._max_bytes, self._entries)
        size = sum(len(item.data) for item in items if not isinstance(item, Gap))
        if len(items) < self._entries or size >= self._max_bytes:
            self._entries = READ_ENTRIES
        else:
            self._entries = min(2 * self._entries, READ_ENTRIES_MAX)
        return items
