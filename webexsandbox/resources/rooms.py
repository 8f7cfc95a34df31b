"""``/v1/rooms``: the spaces that the caller is a member of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from webexsandbox import timeline
from webexsandbox.access import caller, flag_of, sent_object, text_of
from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.hooks import announce
from webexsandbox.ids import Ids
from webexsandbox.paging import keyed_page
from webexsandbox.resources.teams import team_of
from webexsandbox.room import Room
from webexsandbox.state import STATE
from webexsandbox.world import World

READ = "spark:rooms_read"
WRITE = "spark:rooms_write"

SORTS: dict[str | None, Callable[[Ids, Room], tuple[int | str, ...]]] = {
    None: lambda ids, room: (room.number,),
    "id": lambda ids, room: (ids.of("ROOM", room.number),),
    "lastactivity": lambda ids, room: (-room.last_activity_ms(), room.number),
    "created": lambda ids, room: (-room.created_ms, room.number),
}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/rooms", _list),
        web.post("/v1/rooms", _create),
        web.get("/v1/rooms/{id}", _get),
        web.put("/v1/rooms/{id}", _update),
        web.delete("/v1/rooms/{id}", _delete),
        web.get("/v1/rooms/{id}/meetingInfo", _meeting_info),
    ]


async def _list(request: web.Request) -> web.Response:
    person = caller(request, READ)
    state = request.app[STATE]
    world, query = state.world, request.query
    kind, sort = query.get("type"), query.get("sortBy")
    if kind not in (None, "direct", "group"):
        raise ApiError(400, f"Invalid value for parameter 'type': {kind}")
    if sort not in SORTS:
        raise ApiError(400, f"Invalid value for parameter 'sortBy': {sort}")
    team = team_of(world, person, query["teamId"]).number if "teamId" in query else None
    since, until = _moment(request, "from"), _moment(request, "to")

    def wanted(room: Room) -> bool:
        return (
            (kind is None or (room.pair is not None) == (kind == "direct"))
            and (team is None or room.team == team)
            and (since is None or room.last_activity_ms() >= since)
            and (until is None or room.last_activity_ms() <= until)
        )

    return keyed_page(
        request,
        filter(wanted, world.rooms_of(person)),
        functools.partial(SORTS[sort], world.ids),
        lambda room: show(world, room, person),
        default=100,
        most=state.settings.max_clamp,
    )


async def _create(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await sent_object(request)
    title = _title(body)
    team = text_of(body, "teamId")
    team_number = team_of(world, person, team).number if team else None
    options = _options(body, None)
    room = world.create_room(person, title)
    room.team = team_number
    _apply(room, options)
    shown = show(world, room, person)
    announce(request, "rooms", "created", shown, room)
    return web.json_response(shown)


async def _get(request: web.Request) -> web.Response:
    person = caller(request, READ)
    world = request.app[STATE].world
    room = world.seen_room(person, request.match_info["id"])
    return web.json_response(show(world, room, person))


async def _update(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world = request.app[STATE].world
    room = world.seen_room(person, request.match_info["id"])
    body = await sent_object(request)
    title, options = _title(body), _options(body, room)
    if room.pair:
        raise ApiError(400, "A direct room cannot be changed.")
    room = world.keep(room)
    room.title = title
    _apply(room, options)
    shown = show(world, room, person)
    announce(request, "rooms", "updated", shown, room)
    return web.json_response(shown)


async def _delete(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world = request.app[STATE].world
    room = world.seen_room(person, request.match_info["id"])
    if room.pair:
        raise ApiError(400, "A direct room cannot be deleted.")
    shown = show(world, room, person)
    world.keep(room).deleted = True
    announce(request, "rooms", "deleted", shown, room)
    return web.Response(status=204)


async def _meeting_info(request: web.Request) -> web.Response:
    """Webex ended this in 2025; clients that still ask get an invented answer."""
    person = caller(request, READ)
    world = request.app[STATE].world
    room = world.seen_room(person, request.match_info["id"])
    return web.json_response(
        {
            "roomId": world.ids.of("ROOM", room.number),
            "meetingLink": f"https://meet.sandbox.example/{room.number}",
            "sipAddress": f"{room.number}@meet.sandbox.example",
            "meetingNumber": f"{room.number:09}",
            "meetingId": f"{room.number:09}",
            "callInTollFreeNumber": "",
            "callInTollNumber": "",
        }
    )


def show(world: World, room: Room, viewer: Person) -> Mapping[str, Any]:
    """The room as the API has it."""
    ids = world.ids
    fields: dict[str, Any] = {
        "id": ids.of("ROOM", room.number),
        "title": room.title_for(viewer),
        "type": "direct" if room.pair else "group",
        "isLocked": room.locked,
        "lastActivity": timeline.iso(room.last_activity_ms()),
        "creatorId": ids.of("PEOPLE", room.creator.number),
        "created": timeline.iso(room.created_ms),
        "ownerId": ids.of("ORGANIZATION", 0),
        "isAnnouncementOnly": room.announcement,
        "isReadOnly": False,
        "isPublic": room.public,
    }
    if room.team is not None:
        fields["teamId"] = ids.of("TEAM", room.team)
    if room.description is not None:
        fields["description"] = room.description
    return fields


def _title(body: Mapping[str, Any]) -> str:
    title = (text_of(body, "title") or "").strip()
    if not title:
        raise ApiError(400, "Title cannot be empty.")
    return title


def _options(body: Mapping[str, Any], room: Room | None) -> tuple[bool, bool, bool, str | None]:
    return (
        flag_of(body, "isLocked", bool(room and room.locked)),
        flag_of(body, "isPublic", bool(room and room.public)),
        flag_of(body, "isAnnouncementOnly", bool(room and room.announcement)),
        text_of(body, "description") or (room.description if room else None),
    )


def _apply(room: Room, options: tuple[bool, bool, bool, str | None]) -> None:
    room.locked, room.public, room.announcement, room.description = options


def _moment(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return timeline.parse(text)
    except ValueError:
        raise ApiError(400, f"Invalid value for parameter '{name}': {text}") from None
