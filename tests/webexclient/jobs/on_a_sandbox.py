"""The Webex jobs with a login that the test gives, as the application would do it."""

from __future__ import annotations

from typing import Any

from app.list_spaces import list_spaces
from app.webex.access import WebexAccess, access
from flask_realtime import job


@job
async def spaces(running: Any, url: str, token: str = "sandbox-token-ada") -> None:
    """list_spaces for `token` at `url`."""
    access.set(WebexAccess(token, url))
    await list_spaces(running)
