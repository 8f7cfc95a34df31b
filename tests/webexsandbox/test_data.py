"""The invented data: the same for the same seed, in Webex's shapes, and consistent."""

from __future__ import annotations

import base64
import re

import pytest

from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call
from webexsandbox.cast import CAST, GUESTS
from webexsandbox.errors import ApiError
from webexsandbox.history import POOL, REPLY_EACH, History, Pool
from webexsandbox.ids import Ids
from webexsandbox.world import World

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def everything(seed: int) -> list[bytes]:
    world = World(seed, 12, 300)
    found = []
    for room in world.rooms_of(CAST[0]):
        found += [room.title.encode()]
        found += [room.encode([index])[0] for index in room.newest_first()]
    return found


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert everything(1) == everything(1)
    assert len(everything(1)) == 12 * 301
    assert everything(1) != everything(2)


def test_two_processes_give_the_same_bytes(sandbox: Sandbox, call: Call) -> None:
    with Sandbox(spaces=12, messages=250) as other:
        path = "rooms?max=1000"
        here, there = call("GET", path), call("GET", other.api_url + path)
        assert here.content == there.content
        path = f"messages?roomId={here.json()['items'][-1]['id']}&max=100"
        assert call("GET", path).content == call("GET", other.api_url + path).content


def test_these_bytes_are_those_of_the_first_release() -> None:
    """What tests and notes of others lean on does not change unnoticed."""
    first = World(1, 12, 300).room(0)
    assert first is not None
    assert first.title == "Sandbox space 0001 Paper boat"
    assert first.message(299)["created"] == "2025-12-30T14:41:22.170Z"


def test_identifiers_are_base64_of_an_address(call: Call) -> None:
    room = call("GET", "rooms?max=1").json()["items"][0]
    message = call("GET", f"messages?roomId={room['id']}&max=1").json()["items"][0]
    for kind, text in (("ROOM", room["id"]), ("MESSAGE", message["id"])):
        name = base64.b64decode(text + "=" * (-len(text) % 4), b"-_").decode()
        place, _, uuid = name.rpartition("/")
        assert place == f"ciscospark://us/{kind}"
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
        assert call("GET", f"{kind.lower()}s/{uuid}").json()["id"] == text


def test_identifiers_are_read_back() -> None:
    ids = Ids(3)
    assert ids.read("MESSAGE", ids.of("MESSAGE", 1234, 567890)) == (1234, 567890)
    assert ids.of("MESSAGE", 7, 0xABCDEF).encode().startswith(ids.message_prefix(7))
    for kind, other, status in (
        ("ROOM", ids.of("TEAM", 1), 404),
        ("ROOM", Ids(4).of("ROOM", 1), 404),
        ("ROOM", "not an id", 400),
        ("ROOM", "", 400),
        ("ROOM", "Zm9v", 400),
        ("ROOM", "é", 400),
    ):
        with pytest.raises(ApiError) as error:
            ids.read(kind, other)
        assert error.value.status == status


def test_messages_are_in_the_order_of_their_times() -> None:
    ids = Ids(1)
    pool = Pool(1, ids, CAST)
    for count in (0, 1, 95, POOL + 100):
        history = History(1, ids, pool, 5, count, direct=False)
        times = [history.created_ms(index) for index in range(count)]
        assert times == sorted(set(times))
        assert all(history.started_ms() < ms for ms in times[:1])
        for index in range(0, count, 97):
            message = history.read(index)
            assert TIME.fullmatch(message["created"])
            assert history.first_at(times[index]) == index
            assert ids.read("MESSAGE", message["id"]) == (5, index)
            assert message["personEmail"] == history.author(index).email


def test_a_page_is_its_messages_joined() -> None:
    ids = Ids(1)
    history = History(1, ids, Pool(1, ids, CAST), 5, 9000, direct=False)
    for high, low in ((8999, 0), (4200, 4000), (96, 0), (23, 23), (5000, 4096)):
        numbers = range(high, low - 1, -1)
        one_by_one = b",".join(history.encode([number])[0] for number in numbers)
        assert history.encode(numbers) == [one_by_one]
        holes = [number for number in numbers if number % 7]
        one_by_one = b",".join(history.encode([number])[0] for number in holes)
        assert b",".join(history.encode(holes)) == one_by_one
    assert history.encode([]) == []


def test_replies_and_mentions_are_where_they_are_said_to_be() -> None:
    ids = Ids(1)
    history = History(1, ids, Pool(1, ids, CAST), 5, 2000, direct=False)
    mentions = 0
    for index in range(2000):
        message = history.read(index)
        parent, mentioned = history.parent(index), history.mentioned(index)
        assert (parent is not None) == (index % REPLY_EACH == REPLY_EACH - 1)
        expected = None if parent is None else ids.of("MESSAGE", 5, parent)
        assert message.get("parentId") == expected
        people = [ids.of("PEOPLE", mentioned.number)] if mentioned else None
        assert message.get("mentionedPeople") == people
        mentions += people is not None
    assert mentions > 20


def test_a_direct_room_is_named_after_the_other() -> None:
    world = World(1, 12, 5)
    room = world.direct_room(CAST[0], CAST[1])
    assert room is not None
    assert (room.title_for(CAST[0]), room.title_for(CAST[1])) == ("Ben Example", "Ada Example")
    again = world.direct_room(CAST[1], CAST[0])
    assert again is not None
    assert again.number == room.number
    assert world.direct_room(CAST[0], CAST[4]) is None


@pytest.mark.parametrize("spaces", [0, 1, 7, 8, 9, 200])
def test_each_user_has_exactly_so_many_spaces(spaces: int) -> None:
    world = World(1, spaces, 1)
    for person in CAST[:-GUESTS]:
        rooms = list(world.rooms_of(person))
        assert len({room.number for room in rooms}) == len(rooms) == spaces


def test_rooms_that_nobody_changed_are_not_held() -> None:
    world = World(1, 2000, 10_000)
    assert sum(1 for _ in world.rooms_of(CAST[0])) == 2000
    assert not world._kept
