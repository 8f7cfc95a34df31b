"""When a call is made again, and how long to wait before: no socket and no clock in here."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime

from app.webex.errors import BadAnswer, ServerFault, Unreachable, WebexError

MAX_ATTEMPTS = 5  # that may fail in other ways than 429, whose limit is the call's time alone
FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 20.0  # seconds between attempts when the answer does not say how long
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
# Refused before anything was done, whatever the method.
_REFUSED = frozenset({423, 429})
_FAULTY = frozenset({500, 502, 503, 504})


def parse_retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3); None if it is of no use.

    `now` is the time of the answer's Date header if there is one, so that a client's clock that is
    wrong does not matter; seconds since the epoch. Webex was seen to send text that is neither a
    number nor a date. A negative number and a date in the past are of no use either.
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    when = parse_date(text)
    return when - now if when is not None and when > now else None


def parse_date(value: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date; None if it is none."""
    try:
        when = parsedate_to_datetime(value or "")
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def may_repeat(method: str, error: WebexError) -> bool:
    """Whether a failed request can be sent again without doing anything twice.

    GET, PUT and DELETE always can. POST only if it certainly was not carried out: 423 and 429
    refuse it, 503 with Retry-After means that the service turns requests away, and a connection
    that never came about carried nothing. After 500, 502, 504, a bare 503 or a broken connection
    the room or the message may exist.
    """
    if error.status in _REFUSED or error.unsent:
        return True
    if error.status == 503 and error.retry_after is not None:
        return True
    if method not in _IDEMPOTENT:
        return False
    if isinstance(error, BadAnswer):
        return error.status is None or error.status < 300
    return isinstance(error, Unreachable) or (
        isinstance(error, ServerFault) and error.status in _FAULTY
    )


class Retries:
    """The attempts of one call. `draw` returns numbers from 0 to 1: the jitter."""

    def __init__(self, method: str, draw: Callable[[], float] = random.random) -> None:
        self._method = method
        self._draw = draw
        self._limited = 0
        self._failed = 0
        self.unclear = False  # whether an attempt that failed may have been carried out

    @property
    def attempts(self) -> int:
        """How many failed so far."""
        return self._limited + self._failed

    def wait(self, error: WebexError, remaining: float) -> float | None:
        """Seconds until the next attempt; None gives up, and `error.hint` then says why.

        `remaining` is what is left of the call's time, in seconds. Never shorter than what the
        answer asks for, and a little longer, so that many callers do not come back at once.
        """
        if error.status == 429:
            self._limited += 1
            tries = self._limited
        else:
            self._failed += 1
            tries = self._failed
            self.unclear |= _unclear(error)
        if not may_repeat(self._method, error):
            if self._method == "POST" and _unclear(error):
                error.hint = "it may have been carried out all the same"
            return None
        if self._failed >= MAX_ATTEMPTS:
            error.hint = f"given up after {self._counted()}"
            return None
        asked = error.retry_after
        if asked:
            wait = asked + self._draw() * min(asked / 4, 2.0)
        else:
            wait = min(FIRST_WAIT * 2.0 ** min(tries - 1, 10), LONGEST_WAIT)
            wait *= 0.5 + self._draw() / 2
        if wait < remaining:
            return wait
        if asked:
            error.hint = (
                f"Webex asks to wait {asked:,.0f} s, longer than a call may take: try again later"
            )
        else:
            error.hint = f"given up after {self._counted()}, the call's time being over"
        return None

    def _counted(self) -> str:
        return "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"


def _unclear(error: WebexError) -> bool:
    """Whether the request may have been carried out although it failed."""
    return isinstance(error, (BadAnswer, ServerFault, Unreachable)) and not error.unsent
