"""Lists of the Webex API as async iterators, page after page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from app.webex.errors import BadAnswer, NotFound, WebexError
from app.webex.pages import Dated, NewestFirst, PageWalk

if TYPE_CHECKING:
    from app.webexteamsasyncapi import WebexTeamsAsyncAPI

T = TypeVar("T")


class Listing(Generic[T]):
    """A list to iterate over: ``async for room in api.rooms.list()``, or by `pages()`.

    Nothing is fetched before, one page at a time is held, and each iteration begins anew. Raises
    WebexError, after the items that came until then.
    """

    def __init__(
        self,
        api: WebexTeamsAsyncAPI,
        path: str,
        kind: type[T],
        params: Mapping[str, str],
        *,
        newest_first: bool = False,
    ) -> None:
        self._api = api
        self._path = path
        self._kind = kind
        self._params = params
        self._newest_first = newest_first

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item

    async def all(self) -> list[T]:
        """All items in one list."""
        return [item async for item in self]

    async def pages(self) -> AsyncIterator[list[T]]:
        """The items in lists, as Webex hands them out; none is empty.

        In a list that is sorted newest first, a link that cannot be followed (the message that it
        counts from was deleted, or it leads elsewhere) is replaced by the time that was reached.
        """
        walk = PageWalk(self._api.url(self._path), self._params)
        reached = NewestFirst() if self._newest_first else None
        resumed = progress = False
        while True:
            count = 0
            try:
                items, links = await self._api.page(walk.url, self._kind)
                count = len(items)
                if reached is not None and resumed:
                    items = [item for item in items if reached.is_new(cast(Dated, item))]
                if items:
                    progress = True
                    if reached is not None:
                        reached.add(cast("list[Any]", items))
                    yield items
                if not walk.follow(links, count):
                    return
            except (NotFound, BadAnswer) as error:
                if resumed and not progress and count:
                    return  # nothing is older: that the link is bad loses nothing
                position = _position(reached, error) if progress else None
                if position is None:
                    raise
                walk.go_on(position)
                resumed, progress = True, False


def _position(reached: NewestFirst | None, error: WebexError) -> dict[str, str] | None:
    # A page that stays malformed after all attempts (it has a status) is not read twice.
    if reached is None or (isinstance(error, BadAnswer) and error.status is not None):
        return None
    return reached.position()
