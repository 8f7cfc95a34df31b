"""A job on Webex: how many messages each space has, and when the oldest and newest were written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from app.webex.access import webex_client
from app.webex.errors import Forbidden, LoginExpired, LoginNeeded, WebexError, one_line
from app.webex.jobs import Lines, each, end_with, reason, titled, until_stopped
from app.webex.types import MessageStamp, RoomName
from app.webexteamsasyncapi import WebexTeamsAsyncAPI


@dataclass
class Stamps:
    """Messages counted, and the times of the oldest and the newest; times sort as text."""

    messages: int = 0
    oldest: str = ""
    newest: str = ""

    def add(self, page: list[MessageStamp]) -> None:
        times = [message.created for message in page]
        self.merge(Stamps(len(times), min(times), max(times)))

    def merge(self, other: Stamps) -> None:
        if other.messages:
            self.messages += other.messages
            self.oldest = min(self.oldest or other.oldest, other.oldest)
            self.newest = max(self.newest, other.newest)

    def __str__(self) -> str:
        if not self.messages:
            return "no messages"
        noun = "message" if self.messages == 1 else "messages"
        return (
            f"{self.messages:,} {noun}, oldest {_shown(self.oldest)}, newest {_shown(self.newest)}"
        )


@dataclass
class Census:
    """What a run has found so far."""

    spaces: Lines = field(default_factory=lambda: Lines(0))
    total: Stamps = field(default_factory=Stamps)
    complete: int = 0
    incomplete: int = 0
    listed: bool = True

    def ended(self, name: str, found: Stamps, error: WebexError | None) -> None:
        """Print a space's line."""
        self.total.merge(found)
        if error is None:
            self.complete += 1
            self.spaces.print(f"{name}: {found}")
        else:
            self.incomplete += 1
            partial = f"only {found} could be read; " if found.messages else ""
            self.spaces.print(f"{name}: {partial}{reason(error)}")


async def list_spaces(
    running: Callable[[], bool],
    *,
    concurrency: Annotated[int, Meta(ge=1, le=200)] = 50,
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 1000,
) -> None:
    """List all your Webex spaces with the number of their messages, the oldest and the newest.

    Spaces are read side by side, and each line appears once its space has been read; it begins with
    how many of how many are done. A space that vanished or may not be read says so on its line.
    `concurrency` is how many requests are under way at once, `page_size` how many messages each one
    asks for.
    """
    began = time.monotonic()
    census = Census()

    async def work() -> None:
        async with webex_client(concurrency=concurrency) as api:
            rooms = await _spaces(api, census)

            async def read(room: RoomName) -> None:
                await _read(api, room, page_size, census)

            await each(rooms, read, at_once=concurrency)

    error = await until_stopped(running, work())
    spaces = census.spaces
    if not running():
        print(f"Stopped after {spaces.done:,} of {spaces.total:,} spaces.")
    if spaces.total or error is None:
        failed = f", {census.incomplete:,} could not be read in full" if census.incomplete else ""
        failed += "" if census.listed else ", there are more that could not be listed"
        print(
            f"{census.complete:,} of {spaces.total:,} spaces{failed}: {census.total} "
            f"in {time.monotonic() - began:.1f} s"
        )
    if error is not None:
        end_with(error)


async def _spaces(api: WebexTeamsAsyncAPI, census: Census) -> list[RoomName]:
    """All spaces of the user. When a later page fails, those that came before it."""
    rooms: list[RoomName] = []
    try:
        me = await api.people.me()
        whose = f" of {one_line(me.display_name or me.id)}"
    except Forbidden:  # the login does not cover people: the spaces may be listed all the same
        whose = ""
    try:
        async for page in api.rooms.listed_as(RoomName, max=1000).pages():
            rooms += page
    except (LoginExpired, LoginNeeded):
        raise
    except WebexError as error:
        if not rooms:
            raise
        census.listed = False
        print(f"The list of spaces ends early: {error}")
    census.spaces = Lines(len(rooms))
    noun = "space" if len(rooms) == 1 else "spaces"
    print(f"{len(rooms):,} {noun}{whose}")
    return rooms


async def _read(api: WebexTeamsAsyncAPI, room: RoomName, page_size: int, census: Census) -> None:
    """Read all messages of a space. Raises LoginExpired, for which the job ends."""
    found = Stamps()
    failure: WebexError | None = None
    try:
        async for page in api.messages.listed_as(MessageStamp, room.id, max=page_size).pages():
            found.add(page)
    except (LoginExpired, LoginNeeded):
        raise
    except WebexError as error:
        failure = error
    census.ended(titled(room), found, failure)


def _shown(created: str) -> str:
    """2016-04-21T19:12:48.920Z as 2016-04-21 19:12:48."""
    return one_line(created[:19].replace("T", " "))
