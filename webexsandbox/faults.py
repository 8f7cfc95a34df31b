"""Misbehaviour on demand: which requests it hits. What it does stands in effects.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from aiohttp import web

from webexsandbox.exchange import Exchange

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86400)]


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Conditions on a request; those that are not given hold. `path` may end in ``*``."""

    method: str | None = None
    path: str | None = None
    room: str | None = None
    user: str | None = None
    query: dict[str, str] = {}

    def fits(self, method: str, path: str, query: Mapping[str, str], exchange: Exchange) -> bool:
        if self.path is not None:
            if self.path.endswith("*"):
                if not path.startswith(self.path[:-1]):
                    return False
            elif path != self.path:
                return False
        return (
            self.method in (None, method)
            and self.room in (None, exchange.room)
            and self.user in (None, exchange.user)
            and all(query.get(name) == value for name, value in self.query.items())
        )


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """What all kinds share. Each method does nothing here; a kind overrides what it needs.

    Of the requests that match, the first `after` pass; then each `every`-th is hit, `times` times
    (null: without end).
    """

    only: ClassVar[tuple[str | None, str] | None] = None  # method and path that the kind is about

    match: Match = msgspec.field(default_factory=Match)
    after: Count = 0
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    times: Count | None = None

    async def before(self, request: web.Request, exchange: Exchange) -> web.StreamResponse | None:
        """Act before the request is handled; a response ends it here."""
        return None

    def change(self, request: web.Request, response: web.Response) -> web.Response:
        """Return the response to send instead."""
        return response

    async def send(self, request: web.Request, response: web.Response) -> web.StreamResponse | None:
        """Send the response in an own way; None if it is to be sent as usual."""
        return None


@dataclass(slots=True)
class Armed:
    """A fault that was switched on, and how often it was met."""

    fault: Fault
    seen: int = 0
    hits: int = 0

    def strikes(self, request: web.Request, exchange: Exchange) -> bool:
        """Whether the fault hits this request; counts it."""
        fault = self.fault
        if fault.times is not None and self.hits >= fault.times:
            return False
        method, path = request.method, request.path
        if fault.only and (fault.only[0] not in (None, method) or fault.only[1] != path):
            return False
        if not fault.match.fits(method, path, request.query, exchange):
            return False
        self.seen += 1
        turn = self.seen - fault.after
        if turn < 1 or turn % fault.every:
            return False
        self.hits += 1
        return True
