"""A job on Webex: deletes the spaces whose titles begin with a prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from app.webex.access import webex_client
from app.webex.errors import LoginExpired, LoginNeeded, NotFound, WebexError
from app.webex.jobs import Lines, each, end_with, reason, titled, until_stopped
from app.webex.types import RoomName
from app.webexteamsasyncapi import WebexTeamsAsyncAPI

AT_ONCE = 8  # spaces that are deleted side by side


async def delete_spaces(
    running: Callable[[], bool],
    *,
    prefix: Annotated[str, Meta(min_length=1, pattern=r"\S")],
    dry_run: bool = True,
) -> None:
    """Delete the Webex spaces whose titles begin with a prefix, as create_spaces made them.

    Upper and lower case differ. Unless `dry_run` is switched off it only says which ones they are.
    Direct conversations are never deleted.
    """
    counts: Counter[str] = Counter()
    lines = Lines(0)

    async def work() -> None:
        async with webex_client(concurrency=AT_ONCE) as api:
            rooms = [
                room
                async for room in api.rooms.listed_as(RoomName, type="group", max=1000)
                if (room.title or "").startswith(prefix) and room.type != "direct"
            ]
            lines.total = len(rooms)

            async def delete(room: RoomName) -> None:
                outcome, text = await _delete(api, room, dry_run)
                counts[outcome] += 1
                lines.print(f"{titled(room)}: {text}")

            await each(rooms, delete, at_once=1 if dry_run else AT_ONCE)

    error = await until_stopped(running, work())
    if not running():
        print(f"Stopped after {lines.done:,} of {lines.total:,} spaces.")
    if dry_run:
        noun = "space" if lines.done == 1 else "spaces"
        print(f"{lines.done:,} {noun} would be deleted; switch dry_run off to delete them.")
    else:
        failed = f", {counts['failed']:,} could not be deleted" if counts["failed"] else ""
        print(f"{counts['deleted']:,} of {lines.total:,} spaces deleted{failed}.")
    if error is not None:
        end_with(error)


async def _delete(api: WebexTeamsAsyncAPI, room: RoomName, dry_run: bool) -> tuple[str, str]:
    """Delete one space; the outcome, and what to say."""
    if dry_run:
        return "listed", "would be deleted"
    try:
        await api.rooms.delete(room.id)
    except NotFound:
        return "gone", "gone already"
    except (LoginExpired, LoginNeeded):
        raise
    except WebexError as error:
        return "failed", reason(error)
    return "deleted", "deleted"
