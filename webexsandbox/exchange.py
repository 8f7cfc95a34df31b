"""What the sandbox knows of one request, beside what aiohttp does."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

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


def exchange_of(request: web.Request) -> Exchange:
    exchange: Exchange = request["exchange"]
    return exchange
