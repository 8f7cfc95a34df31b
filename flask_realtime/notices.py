"""What everybody who looks at a page should know, for as long as it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Notices:
    """Notices by code. `tell(notice)` is called with each one that begins or ends."""

    def __init__(self) -> None:
        self.tell: Callable[[dict[str, Any]], None] = lambda notice: None
        self._standing: dict[str, dict[str, Any]] = {}

    def standing(self) -> list[dict[str, Any]]:
        """Those that hold now, for a client that has just come."""
        return list(self._standing.values())

    def set(self, code: str, message: str | None) -> None:
        """Let the notice `code` stand with `message`, or take it back with None."""
        notice = {"code": code, "active": message is not None, "message": message or ""}
        if message is not None:
            self._standing[code] = notice
        elif self._standing.pop(code, None) is None:
            return
        self.tell(notice)
