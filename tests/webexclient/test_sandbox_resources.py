"""Each resource of the client, there and back, against the Webex sandbox."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

import pytest

from app.webex.errors import Conflict, NotFound, WebexError
from app.webex.types import Message
from app.webexteamsasyncapi import WebexTeamsAsyncAPI
from tests.support.webexsandbox import Sandbox

BEN = "ben@sandbox.example"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(spaces=5, messages=500, seed=3) as running:
        yield running


def work(sandbox: Sandbox, doing: Callable[[WebexTeamsAsyncAPI], Awaitable[None]]) -> None:
    async def inner() -> None:
        async with WebexTeamsAsyncAPI("sandbox-token-ada", base_url=sandbox.api_url) as api:
            await doing(api)

    asyncio.run(asyncio.wait_for(inner(), 20))


def test_people(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        me = await api.people.me()
        assert (me.display_name, me.emails) == ("Ada Example", ["ada@sandbox.example"])
        assert await api.people.get(me.id) == me
        (ben,) = await api.people.list(email=BEN).all()
        assert ben.display_name == "Ben Example"
        assert ben in await api.people.list(display_name="Be").all()
        both = await api.people.list(id=f"{me.id},{ben.id}").all()
        assert {each.id for each in both} == {me.id, ben.id}
        with pytest.raises(WebexError, match="400"):
            await api.people.list().all()

    work(sandbox, doing)


def test_rooms_and_memberships(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        room = await api.rooms.create("Trial ü")
        assert (room.title, room.type) == ("Trial ü", "group")
        assert (await api.rooms.update(room.id, title="Other")).title == "Other"
        assert (await api.rooms.get(room.id)).title == "Other"
        assert room.id in {each.id for each in await api.rooms.list(type="group", max=2).all()}

        member = await api.memberships.create(room.id, person_email=BEN)
        assert (member.person_email, member.is_moderator) == (BEN, False)
        with pytest.raises(Conflict, match=r"409 Conflict: .*\(tracking id ROUTER_"):
            await api.memberships.create(room.id, person_email=BEN)
        assert len(await api.memberships.list(room_id=room.id, max=1).all()) == 2
        assert await api.memberships.list(room_id=room.id, person_email=BEN).all() == [member]
        assert (await api.memberships.update(member.id, is_moderator=True)).is_moderator
        await api.memberships.delete(member.id)
        with pytest.raises(NotFound):
            await api.memberships.get(member.id)

        await api.rooms.delete(room.id)
        with pytest.raises(NotFound, match=r"404 Not Found: .*\(tracking id ROUTER_"):
            await api.rooms.get(room.id)

    work(sandbox, doing)


def test_messages(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        room = await api.rooms.create("Messages")
        first = await api.messages.create(room_id=room.id, text="one")
        second = await api.messages.create(room_id=room.id, markdown="**two**")
        reply = await api.messages.create(room_id=room.id, parent_id=first.id, text="three")
        found = await api.messages.list(room.id, max=2).all()
        assert [each.id for each in found] == [reply.id, second.id, first.id]
        assert reply.parent_id == first.id
        replies = await api.messages.list(room.id, parent_id=first.id).all()
        assert [each.id for each in replies] == [reply.id]
        older = await api.messages.list(room.id, before_message=second.id).all()
        assert [each.id for each in older] == [first.id]

        edited = await api.messages.edit(first.id, room_id=room.id, text="ONE")
        assert edited.text == "ONE"
        assert (await api.messages.get(first.id)).text == "ONE"
        await api.messages.delete(first.id)
        with pytest.raises(NotFound):
            await api.messages.get(first.id)
        with pytest.raises(WebexError, match="400"):
            await api.messages.create(room_id=room.id)

    work(sandbox, doing)


def test_direct_messages(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        sent = await api.messages.create(to_person_email=BEN, text="between us")
        assert sent.room_type == "direct"
        found = await api.messages.direct(person_email=BEN).all()
        assert found[0].id == sent.id
        (ben,) = await api.people.list(email=BEN).all()
        assert await api.messages.direct(person_id=ben.id).all() == found

    work(sandbox, doing)


def test_teams_and_webhooks(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        teams = [await api.teams.create(f"Team {number}") for number in range(3)]
        found = await api.teams.list(max=1).all()
        assert {each.id for each in teams} <= {each.id for each in found}
        assert (await api.teams.update(teams[0].id, name="Other")).name == "Other"
        room = await api.rooms.create("Of a team", team_id=teams[0].id)
        assert room.team_id == teams[0].id
        assert [each.id for each in await api.rooms.list(team_id=teams[0].id).all()] == [room.id]
        await api.teams.delete(teams[1].id)
        with pytest.raises(NotFound):
            await api.teams.get(teams[1].id)

        hook = await api.webhooks.create(
            name="n", target_url="http://127.0.0.1:1/", resource="messages", event="created"
        )
        assert hook.target_url == "http://127.0.0.1:1/"
        changed = await api.webhooks.update(hook.id, name="m", target_url="http://127.0.0.1:2/")
        assert (changed.name, changed.target_url) == ("m", "http://127.0.0.1:2/")
        assert [each.id for each in await api.webhooks.list(max=1).all()] == [hook.id]
        await api.webhooks.delete(hook.id)
        assert await api.webhooks.list().all() == []

    work(sandbox, doing)


def test_mentions_survive_a_link_that_drops_them(sandbox: Sandbox) -> None:
    async def doing(api: WebexTeamsAsyncAPI) -> None:
        def mentioned(message: Message) -> str:
            return message.mentioned_people[0]

        wanted: list[str] = []
        async for room in api.rooms.list():
            found = [
                each for each in await api.messages.list(room.id).all() if each.mentioned_people
            ]
            person, count = Counter(map(mentioned, found)).most_common(1)[0]
            wanted = [each.id for each in found if mentioned(each) == person]
            if count > 2:
                break
        assert len(wanted) > 2
        listing = api.messages.list(room.id, mentioned_people=person, max=1)
        assert [each.id async for each in listing] == wanted
        sandbox.faults({"match": {"path": "/v1/messages"}, "do": "link", "drop": "mentionedPeople"})
        assert [each.id async for each in listing] == wanted

    work(sandbox, doing)
