"""From page to page: links that are right, wrong, lost and hostile."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.webex.errors import BadAnswer
from app.webex.pages import MAX_EMPTY_PAGES, NewestFirst, PageWalk, next_link

BASE = URL("https://api.example/v1/messages")


def linked(query: str, base: str = str(BASE)) -> list[str]:
    return [f'<{base}?{query}>; rel="next"']


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([""], None),
        (['<https://a/?x=1>; rel="next"'], "https://a/?x=1"),
        (["<https://a/?x=1>; rel=next"], "https://a/?x=1"),
        (["<https://a/?x=1>;REL=Next"], "https://a/?x=1"),
        (['<https://a/1>; rel="prev", <https://a/2>; rel="next"'], "https://a/2"),
        (['<https://a/1>; rel="prev"', '<https://a/2>; rel="next"'], "https://a/2"),
        (['<https://a/1,2;3>; title="a, <b>; rel=prev"; rel="next"'], "https://a/1,2;3"),
        (['<https://a/1>; rel="last next"'], "https://a/1"),
        (['<https://a/1>; rel="nextish"'], None),
        (["<https://a/1>"], None),
        (['https://a/1; rel="next"'], None),
    ],
)
def test_the_next_link_is_found(headers: list[str], found: str | None) -> None:
    assert next_link(headers) == found


@given(st.lists(st.text(alphabet='<>;,="\\ relnxt/', max_size=60), max_size=3))
def test_no_header_raises(headers: list[str]) -> None:
    found = next_link(headers)
    assert found is None or isinstance(found, str)


def test_it_follows_the_link_until_there_is_none() -> None:
    walk = PageWalk(BASE, {"roomId": "r", "max": "2"})
    assert walk.url == BASE.with_query(roomId="r", max="2")
    assert walk.follow(linked("roomId=r&max=2&beforeMessage=m1"), 2)
    assert dict(walk.url.query) == {"roomId": "r", "max": "2", "beforeMessage": "m1"}
    assert not walk.follow([], 2)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/messages?roomId=r",
        "http://api.example/v1/messages?roomId=r",
        "https://api.example:444/v1/messages?roomId=r",
        "https://api.example@evil.example/v1/messages",
        "https://api.example.evil.example/v1/messages",
        "//evil.example/v1/messages",
        "https://api.example/v1/people?roomId=r",
        "https://api.example/v1/messages/../people",
        "file:///v1/messages",
        "https://[/v1/messages",
    ],
)
def test_a_link_to_elsewhere_is_refused(link: str) -> None:
    walk = PageWalk(BASE, {"roomId": "r"})
    with pytest.raises(BadAnswer, match=r"was not followed|page is none"):
        walk.follow([f'<{link}>; rel="next"'], 1)
    assert walk.url.host == "api.example"


def test_names_and_passwords_in_a_link_are_dropped() -> None:
    walk = PageWalk(BASE, {})
    walk.follow(linked("x=1", "https://me:pw@api.example/v1/messages"), 1)
    assert str(walk.url) == "https://api.example/v1/messages?x=1"


def test_a_relative_link_is_followed() -> None:
    walk = PageWalk(BASE, {})
    assert walk.follow(['</v1/messages?beforeMessage=m>; rel="next"'], 1)
    assert walk.url == BASE.with_query(beforeMessage="m")


@pytest.mark.parametrize("size", ["null", "", "-1", "many"])
def test_a_broken_page_size_is_replaced(size: str) -> None:
    walk = PageWalk(BASE, {"max": "100"})
    walk.follow(linked(f"max={size}&beforeMessage=m"), 1)
    assert walk.url.query["max"] == "100"


def test_a_page_size_that_the_service_clamped_is_kept() -> None:
    walk = PageWalk(BASE, {"max": "5000"})
    walk.follow(linked("max=1000&beforeMessage=m"), 1)
    assert walk.url.query["max"] == "1000"


def test_null_as_page_size_goes_when_there_was_none() -> None:
    walk = PageWalk(BASE, {})
    walk.follow(linked("max=null&beforeMessage=m"), 1)
    assert "max" not in walk.url.query


def test_parameters_that_the_link_lost_or_changed_are_restored() -> None:
    walk = PageWalk(BASE, {"roomId": "r", "mentionedPeople": "me", "before": "2020", "max": "9"})
    walk.follow(linked("roomId=other&beforeMessage=m"), 1)
    assert dict(walk.url.query) == {
        "roomId": "r",
        "mentionedPeople": "me",
        "beforeMessage": "m",
        "max": "9",
    }


def test_a_loop_is_noticed_whatever_the_order_of_the_parameters() -> None:
    walk = PageWalk(BASE, {"roomId": "r", "max": "1"})
    assert walk.follow(linked("roomId=r&max=1&beforeMessage=a"), 1)
    assert walk.follow(linked("roomId=r&max=1&beforeMessage=b"), 1)
    with pytest.raises(BadAnswer, match="leads back"):
        walk.follow(linked("beforeMessage=a&max=1&roomId=r"), 1)


def test_a_link_that_lost_its_position_is_a_loop() -> None:
    walk = PageWalk(BASE, {"roomId": "r", "max": "1"})
    with pytest.raises(BadAnswer, match="leads back"):
        walk.follow(linked("roomId=r&max=1"), 1)


def test_empty_pages_are_passed_over_but_not_for_ever() -> None:
    walk = PageWalk(BASE, {})
    for _ in range(MAX_EMPTY_PAGES):
        assert walk.follow(linked("beforeMessage=m"), 0)
    with pytest.raises(BadAnswer, match="empty"):
        walk.follow(linked("beforeMessage=m"), 0)


def test_going_on_by_time_keeps_the_filters_and_no_other_position() -> None:
    walk = PageWalk(BASE, {"roomId": "r", "max": "2", "beforeMessage": "start"})
    walk.go_on({"before": "2020-01-01T00:00:00.000Z"})
    assert dict(walk.url.query) == {
        "roomId": "r",
        "max": "2",
        "before": "2020-01-01T00:00:00.000Z",
    }


@dataclass(frozen=True)
class Item:
    id: str
    created: str


def times(milliseconds: list[int]) -> list[Item]:
    newest_first = sorted(milliseconds, reverse=True)
    return [
        Item(f"m{index}", f"2026-01-01T00:00:00.{each:03}Z")
        for index, each in enumerate(newest_first)
    ]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.data(),
)
def test_going_on_by_time_misses_and_repeats_nothing(milliseconds: list[int], data: object) -> None:
    """Messages of one millisecond, before= inclusive or not, pages of any size, any cut."""
    items = times(milliseconds)
    draw = data.draw  # type: ignore[attr-defined]
    inclusive = draw(st.booleans())
    size = draw(st.integers(1, 6))
    cut = draw(st.integers(1, len(items)))
    reached = NewestFirst()
    for start in range(0, cut, size):
        reached.add(items[start : min(start + size, cut)])
    position = reached.position()
    assert position is not None
    before = position["before"]
    later = [
        item for item in items if item.created < before or (inclusive and item.created == before)
    ]
    got = []
    for start in range(0, len(later), size):
        page = [item for item in later[start : start + size] if reached.is_new(item)]
        reached.add(page)
        got += page
    assert got == items[cut:]


def test_there_is_no_position_without_a_time() -> None:
    reached = NewestFirst()
    assert reached.position() is None
    reached.add([Item("m", "yesterday")])
    assert reached.position() is None


def test_the_position_crosses_the_second() -> None:
    reached = NewestFirst()
    reached.add([Item("m", "2026-12-31T23:59:59.999Z")])
    assert reached.position() == {"before": "2027-01-01T00:00:00.000Z"}
