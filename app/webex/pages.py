"""Which page comes next: rules for the links that Webex sends, without any I/O.

Links were seen that carry `max=null` or have lost a parameter, and a link is the one place where an
answer could send the client, token in hand, to another server. So of a link only the parameters
count: the origin and path must be the first page's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from typing import Protocol

from yarl import URL

from app.webex.errors import BadAnswer, one_line

MAX_EMPTY_PAGES = 20  # in a row that still have a next one
# Parameters that say where a page begins; each link has its own.
_POSITIONS = frozenset({"before", "beforeMessage", "cursor", "start", "offset"})
_LINK = re.compile(r'<([^<>]*)>((?:[^,"<]|"(?:[^"\\]|\\.)*")*)')
_PARAMETER = re.compile(r';\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')


def next_link(headers: Iterable[str]) -> str | None:
    """The target whose relation is "next" in the Link headers of an answer (RFC 8288)."""
    for header in headers:
        for target, rest in _LINK.findall(header):
            for name, quoted, plain in _PARAMETER.findall(rest):
                if name.lower() == "rel" and "next" in (quoted or plain).lower().split():
                    return str(target).strip()
    return None


class PageWalk:
    """The way through one list: `url` is the page to fetch; `follow` moves it to the next.

    Raises BadAnswer for a link to another server or path, one that leads back to a page that was
    read, and too many empty pages.
    """

    def __init__(self, url: URL, params: Mapping[str, str]) -> None:
        self._base = url.with_query(None).with_fragment(None)
        self._params = dict(params)
        self._seen: set[URL] = set()
        self._empty = 0
        self.url = self._base.with_query(self._params)

    def follow(self, headers: Iterable[str], count: int) -> bool:
        """Move on after a page of `count` items; False if it was the last."""
        here = _sorted(self.url)
        if count:
            self._seen.add(here)
            self._empty = 0
        else:
            self._empty += 1
        link = next_link(headers)
        if link is None:
            return False
        url = self._target(link)
        if _sorted(url) in self._seen:
            raise BadAnswer("the link to the next page leads back to one that was read")
        if self._empty > MAX_EMPTY_PAGES:
            raise BadAnswer(f"{self._empty} pages in a row are empty, and each has a next one")
        self.url = url
        return True

    def go_on(self, position: Mapping[str, str]) -> None:
        """Move to a position of one's own instead of following a link."""
        kept = {name: value for name, value in self._params.items() if name not in _POSITIONS}
        self.url = self._base.with_query({**kept, **position})

    def _target(self, link: str) -> URL:
        try:
            target = self._base.join(URL(link))
            same = (target.origin(), target.path) == (self._base.origin(), self._base.path)
        except ValueError:
            raise BadAnswer(f"the link to the next page is none: {one_line(link, 80)}") from None
        if not same:
            shown = one_line(f"{target.scheme}://{target.host}{target.path}", 80)
            raise BadAnswer(f"the link to the next page leads to {shown}; it was not followed")
        params = dict(target.query.items())
        for name, value in self._params.items():
            if name == "max":
                if not params.get(name, "").isdigit():
                    params[name] = value
            elif name not in _POSITIONS:
                params[name] = value
        if params.get("max", "0") in ("null", ""):
            del params["max"]
        return self._base.with_query(params)


class Dated(Protocol):
    """An item of a list that is sorted newest first. `created` is an ISO time in UTC."""

    @property
    def id(self) -> str: ...
    @property
    def created(self) -> str: ...


class NewestFirst:
    """Where a reader of a list, newest first, has got to: enough to go on by `before=`.

    For when the message that a link counts from was deleted. Several messages may have the same
    millisecond, so the place is a time and the ids that were seen at that time.
    """

    def __init__(self) -> None:
        self._oldest: str | None = None
        self._ids: set[str] = set()

    def add(self, items: Sequence[Dated]) -> None:
        """Note that `items` were handed on."""
        if not items:
            return
        oldest = items[-1].created
        ids = {item.id for item in takewhile(lambda item: item.created == oldest, reversed(items))}
        self._ids = ids | self._ids if oldest == self._oldest else ids
        self._oldest = oldest

    def position(self) -> dict[str, str] | None:
        """The parameter to go on with; None if nothing was read or its time cannot be read."""
        if self._oldest is None:
            return None
        try:
            when = datetime.fromisoformat(self._oldest.removesuffix("Z") + "+00:00")
        except ValueError:
            return None
        # A millisecond later: others of the same millisecond may be on the next page.
        later = (when + timedelta(milliseconds=1)).astimezone(timezone.utc)
        return {"before": later.isoformat(timespec="milliseconds").replace("+00:00", "Z")}

    def is_new(self, item: Dated) -> bool:
        """Whether an item of a page that was fetched after `position()` was not seen before."""
        if self._oldest is None or item.created < self._oldest:
            return True
        return item.created == self._oldest and item.id not in self._ids


def _sorted(url: URL) -> URL:
    return url.with_query(sorted(url.query.items()))
