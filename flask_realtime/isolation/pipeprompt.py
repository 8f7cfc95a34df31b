"""Hidden prompts of a job in a process that has no terminal: getpass.getpass on a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flask_realtime.isolation.link import Link


class PipePrompt:
    """Reads a line that the server hides on the page and masks: a pipe has no echo to turn off."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def reader(self) -> Callable[[], str] | None:
        """What reads a hidden line, or None where the server cannot be told of one, or the job has
        put something else in the place of stdin.
        """
        return self._read if sys.stdin is sys.__stdin__ and self._link.reached() else None

    def _read(self) -> str:
        """A line without its end. Raises EOFError."""
        self._link.hide(True)
        try:
            line = sys.stdin.readline()
        finally:
            self._link.hide(False)
        if not line:
            raise EOFError
        return line.removesuffix("\n")
