"""Lists over several pages, against a server that sorts newest first as Webex does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from app.webex import retry
from app.webex.errors import BadAnswer, NotFound
from app.webex.listing import Listing
from app.webex.types import MessageStamp
from tests.webexclient.fakewebex import FakeWebex, json, refusal, run

Change = Callable[[web.Request, dict[str, str]], "web.Response | dict[str, str]"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that nobody asked for are a tenth of what they are."""
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 10)


class Room:
    """`count` messages, two of each millisecond; `change` may alter links or answers."""

    def __init__(self, count: int, change: Change | None = None) -> None:
        self.items = [
            {"id": f"m{n}", "created": f"2026-01-01T00:00:00.{(count - n) // 2:03}Z"}
            for n in range(count)
        ]
        self._change = change

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        found = self.items
        if "beforeMessage" in query:
            ids = [item["id"] for item in self.items]
            found = self.items[ids.index(query["beforeMessage"]) + 1 :]
        elif "before" in query:
            found = [item for item in self.items if item["created"] < query["before"]]
        size = int(query.get("max", "50"))
        page = found[:size]
        params = {**query, "beforeMessage": page[-1]["id"]} if len(found) > size else {}
        if self._change is not None:
            changed = self._change(request, params)
            if isinstance(changed, web.Response):
                return changed
            params = changed
        response = json({"items": page})
        if params:
            base = params.pop("base", str(request.url.with_query(None)))
            target = f"{base}?" + "&".join(f"{name}={value}" for name, value in params.items())
            response.headers["Link"] = f'<{target}>; rel="next"'
        return response


def read(room: Room, size: int = 4) -> tuple[list[str], FakeWebex]:
    async def inner() -> tuple[list[str], FakeWebex]:
        async with FakeWebex(room.answer) as server, server.client() as api:
            listing = api.messages.listed_as(MessageStamp, "r", max=size)
            return [item.id async for item in listing], server

    return run(inner())


async def collect(listing: Listing[Any], found: list[str]) -> None:
    async for item in listing:
        found.append(item.id)


def ids(count: int) -> list[str]:
    return [f"m{n}" for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 30])
def test_all_items_of_all_pages_come_in_order(count: int) -> None:
    found, server = read(Room(count))
    assert found == ids(count)
    assert len(server.seen) == max(1, -(-count // 4))


def test_a_listing_can_be_read_twice_and_by_pages() -> None:
    async def work() -> None:
        async with FakeWebex(Room(5).answer) as server, server.client() as api:
            listing = api.messages.list("r", max=2)
            assert [len(page) async for page in listing.pages()] == [2, 2, 1]
            assert [item.id for item in await listing.all()] == ids(5)

    run(work())


def test_only_what_is_asked_for_is_fetched() -> None:
    async def work() -> None:
        async with FakeWebex(Room(50).answer) as server, server.client() as api:
            async for item in api.messages.list("r", max=2):
                if item.id == "m3":
                    break
            assert len(server.seen) == 2

    run(work())


def test_a_deleted_message_under_a_link_loses_and_doubles_nothing() -> None:
    def change(request: web.Request, params: dict[str, str]) -> web.Response | dict[str, str]:
        if request.query.get("beforeMessage") in ("m3", "m12"):
            return refusal(404, "Could not find a message with provided ID.")
        return params

    found, server = read(Room(30, change))
    assert found == ids(30)
    assert sum("before" in each.query for each in server.seen) >= 1


def test_a_room_that_vanishes_between_pages_is_an_error_after_what_came() -> None:
    def change(request: web.Request, params: dict[str, str]) -> web.Response | dict[str, str]:
        if len(request.query) > 2:
            return refusal(404, "Could not find a room with provided ID.")
        return params

    async def work() -> None:
        found: list[str] = []
        async with FakeWebex(Room(30, change).answer) as server, server.client() as api:
            with pytest.raises(NotFound, match="Could not find a room"):
                await collect(api.messages.list("r", max=4), found)
        assert found == ids(4)
        assert len(server.seen) == 3  # the link, then once by time

    run(work())


def test_a_link_to_another_server_is_not_followed_and_nothing_is_lost() -> None:
    def change(request: web.Request, params: dict[str, str]) -> dict[str, str]:
        return {**params, "base": "http://evil.invalid/v1/messages"} if params else params

    found, server = read(Room(10, change))
    assert found == ids(10)
    assert {each.path for each in server.seen} == {"messages"}


@pytest.mark.parametrize("lost", ["beforeMessage", "roomId", "max"])
def test_a_link_that_lost_a_parameter_loses_nothing(lost: str) -> None:
    def change(request: web.Request, params: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in params.items() if name != lost}

    found, server = read(Room(10, change))
    assert found == ids(10)
    assert {each.query["roomId"] for each in server.seen} == {"r"}
    assert {each.query["max"] for each in server.seen} == {"4"}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 9])
def test_links_that_always_lead_back_lose_nothing(count: int) -> None:
    async def loop(request: web.Request) -> web.StreamResponse:
        response = await room.answer(request)
        response.headers["Link"] = f'<{request.url}>; rel="next"'
        return response

    async def work() -> list[str]:
        async with FakeWebex(loop) as server, server.client() as api:
            return [item.id async for item in api.messages.list("r", max=4)]

    room = Room(count)
    if count:
        assert run(work()) == ids(count)
    else:
        with pytest.raises(BadAnswer, match="empty"):
            run(work())


def test_null_as_page_size_is_replaced() -> None:
    def change(request: web.Request, params: dict[str, str]) -> dict[str, str]:
        return {**params, "max": "null"} if params else params

    found, server = read(Room(10, change))
    assert found == ids(10)
    assert {each.query["max"] for each in server.seen} == {"4"}


def test_an_empty_page_with_a_next_one_is_passed_over() -> None:
    empty = []

    def change(request: web.Request, params: dict[str, str]) -> web.Response | dict[str, str]:
        if request.query.get("beforeMessage") == "m3" and len(empty) < 2:
            empty.append(request)
            link = f'<{request.url}>; rel="next"'
            return web.json_response({"items": []}, headers={"Link": link})
        return params

    assert read(Room(10, change))[0] == ids(10)
    assert len(empty) == 2


def test_pages_without_end_are_ended() -> None:
    def change(request: web.Request, params: dict[str, str]) -> web.Response | dict[str, str]:
        return web.json_response({"items": []}, headers={"Link": f'<{request.url}>; rel="next"'})

    with pytest.raises(BadAnswer, match="pages in a row are empty"):
        read(Room(10, change))


def test_a_list_that_has_no_order_ends_at_a_bad_link_with_an_error() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return json({"items": [{"id": "r1"}]}, Link=f'<{request.url}>; rel="next"')

    async def work() -> None:
        found: list[str] = []
        async with FakeWebex(handler) as server, server.client() as api:
            with pytest.raises(BadAnswer, match="leads back"):
                await collect(api.rooms.list(), found)
        assert found == ["r1"]

    run(work())


def test_a_page_that_stays_broken_is_told_after_its_attempts() -> None:
    def change(request: web.Request, params: dict[str, str]) -> web.Response | dict[str, str]:
        return web.Response(text='{"items": [{"id"') if "beforeMessage" in request.query else params

    async def work() -> None:
        async with FakeWebex(Room(10, change).answer) as server, server.client() as api:
            with pytest.raises(BadAnswer, match="not the JSON that was expected"):
                await api.messages.list("r", max=4).all()

    run(work())
