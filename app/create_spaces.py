"""A job on Webex: creates spaces to try things with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from app.webex.access import webex_client
from app.webex.errors import Conflict, LoginExpired, LoginNeeded, WebexError, one_line
from app.webex.jobs import Lines, each, end_with, until_stopped
from app.webexteamsasyncapi import WebexTeamsAsyncAPI

AT_ONCE = 8  # spaces that are created side by side


async def create_spaces(
    running: Callable[[], bool],
    *,
    number: Annotated[int, Meta(ge=1, le=1000)] = 3,
    members: list[str] = [],  # noqa: B006  # a job's default is copied for each run
    prefix: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")] = "Trial",
) -> None:
    """Create Webex spaces, titled with a prefix and a number, and add members to each.

    `members` are e-mail addresses. `delete_spaces` removes the spaces again by their prefix. What
    may have been created without an answer is reported as such, and never created twice.
    """
    lines = Lines(number)
    pending: dict[str, None] = {}
    counts = {"created": 0}
    titles = [f"{prefix.strip()} {index:0{len(str(number))}}" for index in range(1, number + 1)]

    async def work() -> None:
        async with webex_client(concurrency=AT_ONCE) as api:

            async def create(title: str) -> None:
                pending[title] = None
                done, text = await _create(api, title, members)
                del pending[title]
                counts["created"] += done
                lines.print(f"{one_line(title)}: {text}")

            await each(titles, create, at_once=AT_ONCE)

    error = await until_stopped(running, work())
    if not running():
        print(f"Stopped after {lines.done:,} of {number:,} spaces.")
    for title in pending:
        print(f"{one_line(title)}: interrupted; it may exist, in part or in full")
    print(f"{counts['created']:,} of {number:,} spaces created.")
    if error is not None:
        end_with(error)


async def _create(api: WebexTeamsAsyncAPI, title: str, members: list[str]) -> tuple[bool, str]:
    """Create one space; whether it exists now, and what to say."""
    try:
        room = await api.rooms.create(title)
    except (LoginExpired, LoginNeeded):
        raise
    except WebexError as error:
        return False, f"not created: {error}"
    added, faults = 0, []
    for email in members:
        try:
            await api.memberships.create(room.id, person_email=email)
        except Conflict:
            pass  # who creates a space is in it already
        except (LoginExpired, LoginNeeded):
            raise
        except WebexError as error:
            faults.append(f"; {one_line(email)} was not added: {error}")
            continue
        added += 1
    noun = "member" if added == 1 else "members"
    return True, f"created, {added} {noun}{''.join(faults)}"
