"""What the sandbox knows of one request, beside what aiohttp does."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from webexsandbox.cast import Person


@dataclass(slots=True)
class Exchange:
    """Filled in as the request goes its way; faults about OAuth leave their orders here."""

    tracking_id: str
    person: Person | None = None
    room: str | None = None
    expires_in: int | None = None
    refresh_mode: str | None = None
    authorize_error: str | None = None
    wrong_state: bool = False
    granted_scope: str | None = None

    @property
    def user(self) -> str | None:
        return self.person.name if self.person else None


# Each request is handled in a context of its own. Keys of requests are texts in older versions of
# aiohttp, and the newer ones warn of these.
CURRENT: ContextVar[Exchange] = ContextVar("exchange")
