"""Each call as it stands on the wire."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.webex.resources import MAX_TEXT_BYTES
from app.webexteamsasyncapi import WebexTeamsAsyncAPI
from tests.webexclient.fakewebex import FakeWebex, json, run, script

Api = WebexTeamsAsyncAPI


async def made(call: Callable[[Api], Any], answer: object) -> tuple[Any, list[Any]]:
    async with FakeWebex(script(json(answer))) as server, server.client() as api:
        found = call(api)
        result = await found if inspect.isawaitable(found) else await found.all()
        return result, [
            (each.method, each.path, each.query, msgspec.json.decode(each.body or b"null"))
            for each in server.seen
        ]


ONES: list[tuple[Callable[[Api], Any], tuple[Any, ...]]] = [
    (lambda api: api.people.me(), ("GET", "people/me", {}, None)),
    (lambda api: api.people.get("p"), ("GET", "people/p", {}, None)),
    (lambda api: api.rooms.get("r"), ("GET", "rooms/r", {}, None)),
    (
        lambda api: api.rooms.create("T", team_id="t"),
        ("POST", "rooms", {}, {"title": "T", "teamId": "t"}),
    ),
    (lambda api: api.rooms.update("r", title="N"), ("PUT", "rooms/r", {}, {"title": "N"})),
    (lambda api: api.messages.get("m"), ("GET", "messages/m", {}, None)),
    (
        lambda api: api.messages.create(
            room_id="r", markdown="**a**", parent_id="m", files=["https://a/b"]
        ),
        (
            *("POST", "messages", {}),
            {"roomId": "r", "markdown": "**a**", "parentId": "m", "files": ["https://a/b"]},
        ),
    ),
    (
        lambda api: api.messages.create(to_person_email="a@b.example", text="hi"),
        ("POST", "messages", {}, {"toPersonEmail": "a@b.example", "text": "hi"}),
    ),
    (
        lambda api: api.messages.edit("m", room_id="r", text="new"),
        ("PUT", "messages/m", {}, {"roomId": "r", "text": "new"}),
    ),
    (
        lambda api: api.memberships.create("r", person_email="a@b.example", is_moderator=False),
        (
            *("POST", "memberships", {}),
            {"roomId": "r", "personEmail": "a@b.example", "isModerator": False},
        ),
    ),
    (
        lambda api: api.memberships.update("s", is_moderator=True),
        ("PUT", "memberships/s", {}, {"isModerator": True}),
    ),
    (lambda api: api.memberships.get("s"), ("GET", "memberships/s", {}, None)),
    (lambda api: api.teams.create("T"), ("POST", "teams", {}, {"name": "T"})),
    (lambda api: api.teams.update("t", name="N"), ("PUT", "teams/t", {}, {"name": "N"})),
    (lambda api: api.teams.get("t"), ("GET", "teams/t", {}, None)),
    (lambda api: api.webhooks.get("w"), ("GET", "webhooks/w", {}, None)),
    (
        lambda api: api.webhooks.create(
            name="n",
            target_url="https://a/",
            resource="messages",
            event="created",
            filter="roomId=r",
            secret="s",
        ),
        (
            *("POST", "webhooks", {}),
            {
                "name": "n",
                "targetUrl": "https://a/",
                "resource": "messages",
                "event": "created",
                "filter": "roomId=r",
                "secret": "s",
            },
        ),
    ),
    (
        lambda api: api.webhooks.update("w", name="n", target_url="https://a/"),
        ("PUT", "webhooks/w", {}, {"name": "n", "targetUrl": "https://a/"}),
    ),
    (
        lambda api: api.request("POST", "attachment/actions", dict[str, Any], body={"a": 1}),
        ("POST", "attachment/actions", {}, {"a": 1}),
    ),
]
LISTS: list[tuple[Callable[[Api], Any], tuple[Any, ...]]] = [
    (
        lambda api: api.people.list(display_name="A&B +ü", max=5),
        ("people", {"displayName": "A&B +ü", "max": "5"}),
    ),
    (
        lambda api: api.rooms.list(type="group", sort_by="created", from_="2026", max=1000),
        ("rooms", {"type": "group", "sortBy": "created", "from": "2026", "max": "1000"}),
    ),
    (
        lambda api: api.messages.list("r", before="2026", max=1000),
        ("messages", {"roomId": "r", "before": "2026", "max": "1000"}),
    ),
    (
        lambda api: api.messages.list("r", mentioned_people="me", max=1000),
        ("messages", {"roomId": "r", "mentionedPeople": "me", "max": "100"}),
    ),
    (
        lambda api: api.messages.direct(person_email="a+b@c.example"),
        ("messages/direct", {"personEmail": "a+b@c.example"}),
    ),
    (
        lambda api: api.memberships.list(room_id="r", person_email="a@b.example"),
        ("memberships", {"roomId": "r", "personEmail": "a@b.example"}),
    ),
    (lambda api: api.teams.list(), ("teams", {})),
    (
        lambda api: api.webhooks.list(owned_by="org", max=2),
        ("webhooks", {"ownedBy": "org", "max": "2"}),
    ),
]
DELETIONS: list[tuple[Callable[[Api], Any], str]] = [
    (lambda api: api.rooms.delete("x"), "rooms/x"),
    (lambda api: api.messages.delete("x"), "messages/x"),
    (lambda api: api.memberships.delete("x"), "memberships/x"),
    (lambda api: api.teams.delete("x"), "teams/x"),
    (lambda api: api.webhooks.delete("x"), "webhooks/x"),
]


@pytest.mark.parametrize(("call", "sent"), ONES, ids=[f"{row[0]} {row[1]}" for _, row in ONES])
def test_a_call_for_one(call: Callable[[Api], Any], sent: tuple[Any, ...]) -> None:
    result, seen = run(made(call, {"id": "x", "created": "2026", "unknown": [1]}))
    assert seen == [sent]
    assert (result["id"] if isinstance(result, dict) else result.id) == "x"


@pytest.mark.parametrize(("call", "sent"), LISTS, ids=[str(row) for _, row in LISTS])
def test_a_call_for_a_list(call: Callable[[Api], Any], sent: tuple[Any, ...]) -> None:
    items = [{"id": "x", "created": "2026", "unknown": None}, {"id": "y", "created": "2025"}]
    result, seen = run(made(call, {"items": items}))
    assert seen == [("GET", *sent, None)]
    assert [item.id for item in result] == ["x", "y"]


@pytest.mark.parametrize(("call", "path"), DELETIONS, ids=[path for _, path in DELETIONS])
def test_a_deletion_has_no_answer(call: Callable[[Api], Any], path: str) -> None:
    result, seen = run(made(call, None))
    assert (result, seen) == (None, [("DELETE", path, {}, None)])


def test_all_fields_of_a_message_arrive() -> None:
    answer = {
        "id": "m",
        "parentId": "q",
        "roomId": "r",
        "roomType": "group",
        "text": "hi",
        "markdown": "*hi*",
        "html": "<em>hi</em>",
        "files": ["https://a/1"],
        "personId": "p",
        "personEmail": "ada@sandbox.example",
        "mentionedPeople": ["p"],
        "attachments": [{"contentType": "card", "content": {"body": []}}],
        "created": "2026-01-01T00:00:00.000Z",
        "updated": "2026-01-02T00:00:00.000Z",
    }
    message, _ = run(made(lambda api: api.messages.get("m"), answer))
    assert msgspec.to_builtins(message) == answer


def test_an_id_cannot_lead_to_another_call() -> None:
    _, seen = run(made(lambda api: api.rooms.get("../people/me?x=1#y"), {"id": "x"}))
    assert seen[0][1:3] == ("rooms/../people/me?x=1#y", {})  # decoded: it went out quoted

    for id in ("", ".", ".."):
        with pytest.raises(ValueError, match="is no id"):
            run(made(lambda api, id=id: api.rooms.delete(id), None))  # type: ignore[misc]


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.messages.create(text="to nobody"),
        lambda api: api.messages.create(room_id="r", to_person_id="p", text="to two"),
        lambda api: api.messages.create(room_id="r", text="ü" * (MAX_TEXT_BYTES // 2 + 1)),
        lambda api: api.messages.edit("m", room_id="r", markdown="x" * (MAX_TEXT_BYTES + 1)),
        lambda api: api.messages.direct(),
        lambda api: api.memberships.list(person_email="a@b.example"),
        lambda api: api.memberships.create("r"),
    ],
)
def test_a_call_that_webex_would_refuse_is_not_made(call: Callable[[Api], Any]) -> None:
    with pytest.raises(ValueError, match=r"exactly one|room_id|bytes"):
        run(made(call, {}))
