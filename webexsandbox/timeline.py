"""When generated things happened: fixed dates, so that the same seed gives the same bytes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

SLOTS_PER_DAY = 96  # a message each quarter of an hour
SLOT_MS = 15 * 60 * 1000
DAY_MS = SLOTS_PER_DAY * SLOT_MS
LAST_DAY = date(2025, 12, 31)
LAST_SLOT = (LAST_DAY - date(1970, 1, 1)).days * SLOTS_PER_DAY + SLOTS_PER_DAY - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def iso(ms: int) -> str:
    """Milliseconds since the epoch, as Webex writes them: ``2016-04-21T19:12:48.920Z``."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def day(number: int) -> str:
    """The date of a day counted from the epoch."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def now_ms() -> int:
    """The present time, for what a client creates."""
    return (datetime.now(timezone.utc) - _EPOCH) // timedelta(milliseconds=1)


def parse(text: str) -> int:
    """ISO 8601 to milliseconds since the epoch; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
