"""The socket events of the application: each one is a call of the library, a few lines.

Start and Stop of the page arrive here. The library checks payloads and turns errors into answers
(flask_realtime/events.py); here stands what the application does about each event.
"""

from __future__ import annotations

import logging
from typing import Any

from flask_realtime.events import RealtimeEvents

logger = logging.getLogger(__name__)


class Events(RealtimeEvents):
    """The handlers, by name of the event: `on_start` answers `start`."""

    def on_start(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Start a job in a FlaskThread; the answer is the run."""
        answer = super().on_start(payload)
        _log("%s was started by a page", answer["run"])
        return answer

    def on_stop(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Ask a run to stop, or force it to."""
        answer = super().on_stop(payload)
        _log("%s was asked to stop by a page", answer["run"])
        return answer


def _log(text: str, run: dict[str, Any]) -> None:
    logger.info(text, run["id"], extra={"run": run["id"], "user": run["user"]})
