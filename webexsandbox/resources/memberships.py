"""``/v1/memberships``: who is in which space."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from webexsandbox import timeline
from webexsandbox.access import caller, flag_of, sent_object, text_of
from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.hooks import announce
from webexsandbox.ids import NOT_FOUND, Ids
from webexsandbox.paging import keyed_page
from webexsandbox.resources.people import person_named
from webexsandbox.room import Member, Room
from webexsandbox.state import STATE

READ = "spark:memberships_read"
WRITE = "spark:memberships_write"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/memberships", _list),
        web.post("/v1/memberships", _create),
        web.get("/v1/memberships/{id}", _get),
        web.put("/v1/memberships/{id}", _update),
        web.delete("/v1/memberships/{id}", _delete),
    ]


async def _list(request: web.Request) -> web.Response:
    """Of one room all members; without a room, the caller's own memberships."""
    person = caller(request, READ)
    state, query = request.app[STATE], request.query
    ids = state.world.ids
    named = query.get("personId"), query.get("personEmail")
    found: Iterable[tuple[Room, Member]]
    if "roomId" in query:
        room = state.world.seen_room(person, query["roomId"])
        found = [(room, member) for member in room.members.values()]
        if any(named):
            who = person_named(ids, *named)
            found = [pair for pair in found if pair[1].person is who]
    elif any(named):
        raise ApiError(400, "personId and personEmail require roomId.")
    else:
        found = [(room, room.members[person.number]) for room in state.world.rooms_of(person)]
    return keyed_page(
        request,
        found,
        lambda pair: (pair[0].number, pair[1].person.number),
        lambda pair: _show(ids, *pair),
        default=100,
        most=state.settings.max_clamp,
    )


async def _create(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await sent_object(request)
    room = world.seen_room(person, text_of(body, "roomId") or "")
    named = text_of(body, "personId"), text_of(body, "personEmail")
    if sum(bool(each) for each in named) != 1:
        raise ApiError(400, "Exactly one of personId and personEmail is required.")
    who = person_named(world.ids, named[0] or None, named[1])
    moderator = flag_of(body, "isModerator", False)
    if room.pair:
        raise ApiError(400, "Nobody can be added to a direct room.")
    if who.number in room.members:
        raise ApiError(409, "Person is already in the room.")
    room = world.keep(room)
    member = room.members[who.number] = Member(who, timeline.now_ms(), moderator)
    shown = _show(world.ids, room, member)
    announce(request, "memberships", "created", shown, room)
    return web.json_response(shown)


async def _get(request: web.Request) -> web.Response:
    ids = request.app[STATE].world.ids
    return web.json_response(_show(ids, *_seen(request, caller(request, READ))))


async def _update(request: web.Request) -> web.Response:
    room, member = _seen(request, caller(request, WRITE))
    world, body = request.app[STATE].world, await sent_object(request)
    if "isModerator" not in body:
        raise ApiError(400, "'isModerator' is required.")
    if room.pair:
        raise ApiError(400, "A direct room has no moderators.")
    changed = dataclasses.replace(member, moderator=flag_of(body, "isModerator", False))
    world.keep(room).members[member.person.number] = changed
    shown = _show(world.ids, room, changed)
    announce(request, "memberships", "updated", shown, room)
    return web.json_response(shown)


async def _delete(request: web.Request) -> web.Response:
    room, member = _seen(request, caller(request, WRITE))
    world = request.app[STATE].world
    if room.pair:
        raise ApiError(400, "Nobody can leave a direct room.")
    shown = _show(world.ids, room, member)
    announce(request, "memberships", "deleted", shown, room)  # also to the one who leaves
    del world.keep(room).members[member.person.number]
    return web.Response(status=204)


def _seen(request: web.Request, person: Person) -> tuple[Room, Member]:
    """The membership in the path, if the caller is in its room. Raises ApiError 400 or 404."""
    world = request.app[STATE].world
    room_number, number = world.ids.read("MEMBERSHIP", request.match_info["id"])
    room = world.room(room_number)
    if room is None or room.deleted or person.number not in room.members:
        raise ApiError(404, NOT_FOUND["MEMBERSHIP"])
    if number not in room.members:
        raise ApiError(404, NOT_FOUND["MEMBERSHIP"])
    return room, room.members[number]


def _show(ids: Ids, room: Room, member: Member) -> Mapping[str, Any]:
    who = member.person
    return {
        "id": ids.of("MEMBERSHIP", room.number, who.number),
        "roomId": ids.of("ROOM", room.number),
        "personId": ids.of("PEOPLE", who.number),
        "personEmail": who.email,
        "personDisplayName": who.display_name,
        "personOrgId": ids.of("ORGANIZATION", 0),
        "isModerator": member.moderator,
        "isMonitor": False,
        "roomType": "direct" if room.pair else "group",
        "created": timeline.iso(member.created_ms),
    }
