"""Whose Webex a job uses: set by the application for each run, read by the jobs."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from app.webex.errors import LoginNeeded
from app.webex.token import TokenSource
from app.webexteamsasyncapi import BASE_URL, WebexTeamsAsyncAPI


@dataclass(frozen=True)
class WebexAccess:
    """The login of the user who started a run, and where Webex is.

    `options` are further arguments of WebexTeamsAsyncAPI, such as timeouts.
    """

    token: str | TokenSource = field(repr=False)
    base_url: str = BASE_URL
    options: Mapping[str, Any] = field(default_factory=dict)


# Set in the context in which a run starts. A thread or a task of the job inherits it.
access: ContextVar[WebexAccess | None] = ContextVar("webex_access", default=None)


def webex_client(**options: Any) -> WebexTeamsAsyncAPI:
    """The client of the run that calls, to be used with ``async with``.

    `options` are arguments of WebexTeamsAsyncAPI. Raises LoginNeeded if nobody is logged in.
    """
    found = access.get()
    if found is None:
        raise LoginNeeded("this run has no Webex login: log in with Webex first")
    return WebexTeamsAsyncAPI(
        found.token, **{"base_url": found.base_url, **found.options, **options}
    )
