"""What the Webex jobs share: stopping at once, working side by side, ending with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NoReturn, TypeVar

from app.webex.errors import (
    Forbidden,
    LoginExpired,
    LoginNeeded,
    NotFound,
    RateLimited,
    ServerFault,
    Unreachable,
    Untrusted,
    WebexError,
    one_line,
)
from app.webex.types import RoomName

T = TypeVar("T")

POLL = 0.2  # seconds between two looks at running(): a stop must work within one
MAX_TITLE = 80  # characters of a title on a line


async def until_stopped(
    running: Callable[[], bool], work: Coroutine[Any, Any, None]
) -> WebexError | None:
    """Await `work`, and cancel it once `running()` says so, whatever it waits for.

    Returns the WebexError that it ended with, None otherwise; all other errors are raised.
    """
    task = asyncio.create_task(work)
    try:
        while running():
            done, _ = await asyncio.wait([task], timeout=POLL)
            if done:
                break
    finally:
        task.cancel()  # a task that is done does not mind
        await asyncio.wait([task])
    if task.cancelled():
        return None
    error = task.exception()
    if error is None or isinstance(error, WebexError):
        return error
    raise error


async def each(items: Sequence[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Await `work(item)` for all, so many at once, in order. The first error cancels the others."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await work(item)

    tasks = [asyncio.create_task(worker()) for _ in range(min(at_once, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def end_with(error: WebexError) -> NoReturn:
    """End the job as failed, with a sentence instead of a traceback.

    For the job's main task alone: asyncio lets SystemExit of another one fall through the loop.
    """
    raise SystemExit(sentence(error)) from None


_LATER = "Try again later."
# What to do about an error; the first row that fits.
_ADVICE: tuple[tuple[type[WebexError], str, str], ...] = (
    (LoginNeeded, "Nobody is logged in", "Log in with Webex first, then start this again."),
    (LoginExpired, "The Webex login has ended", "Log in with Webex again, then start this again."),
    (
        Forbidden,
        "Webex denies this",
        "The login may lack a scope: log in again and grant what is asked for.",
    ),
    (RateLimited, "Webex is asked too often", _LATER),
    (ServerFault, "Webex is out of order", _LATER),
    (Unreachable, "Webex does not answer", "Check the network, or try again later."),
    (Untrusted, "This is not Webex", "Check the network, the address and the computer's clock."),
    (WebexError, "Webex did not do what was asked", "Tell your administrator what this line says."),
)


def sentence(error: WebexError) -> str:
    """What happened and what to do, for the user of a job."""
    what, advice = next(row[1:] for row in _ADVICE if isinstance(error, row[0]))
    return f"{what} ({error}). {advice}"


def reason(error: WebexError) -> str:
    """Why there is nothing of a space, for its line."""
    if isinstance(error, NotFound):
        return f"vanished: {error}"
    if isinstance(error, Forbidden):
        return f"forbidden: {error}"
    return f"failed: {error}"


def titled(room: RoomName) -> str:
    """A space's title for a line: others choose titles, so it is text and nothing else."""
    return one_line(room.title or "", MAX_TITLE) or "(without a title)"


class Lines:
    """Prints a line for each thing done, with how many of how many are: ``[ 12/200] ...``."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def print(self, text: str) -> None:
        self.done += 1
        print(f"[{self.done:{len(str(self.total))}}/{self.total}] {text}")
