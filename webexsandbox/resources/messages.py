"""``/v1/messages``: list, direct, create, read, edit, delete."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from webexsandbox import timeline
from webexsandbox.access import caller, required, sent_object, text_of
from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.hooks import announce
from webexsandbox.ids import NOT_FOUND
from webexsandbox.paging import items_page, page_size
from webexsandbox.resources.people import person_named, person_of
from webexsandbox.room import Room
from webexsandbox.state import STATE
from webexsandbox.world import World

READ = "spark:messages_read"
WRITE = "spark:messages_write"
DEFAULT_PAGE = 50
MOST_MENTIONS = 100  # on a page, if `mentionedPeople` is asked for
MOST_BYTES = 7439  # of a text
MOST_EDITS = 10


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/messages", _list),
        web.get("/v1/messages/direct", _direct),
        web.post("/v1/messages", _create),
        web.get("/v1/messages/{id}", _get),
        web.put("/v1/messages/{id}", _edit),
        web.delete("/v1/messages/{id}", _delete),
    ]


async def _list(request: web.Request) -> web.Response:
    person = caller(request, READ)
    state = request.app[STATE]
    world, query = state.world, request.query
    room = world.seen_room(person, required(request, "roomId"))
    most = state.settings.max_clamp
    if "mentionedPeople" in query:
        most = min(most, MOST_MENTIONS)
    size = page_size(request, DEFAULT_PAGE, most)
    before = room.end
    if "beforeMessage" in query:
        before = _index(world, room, query["beforeMessage"])
    if "before" in query:
        try:
            before = min(before, room.first_at(timeline.parse(query["before"])))
        except ValueError:
            raise ApiError(
                400, f"Invalid value for parameter 'before': {query['before']}"
            ) from None
    found = _matching(request, world, room, person, before)
    page = list(itertools.islice(found, size))
    following = None
    if len(page) == size and next(found, None) is not None:
        last = world.ids.of("MESSAGE", room.number, page[-1])
        following = {**query, "max": str(size), "beforeMessage": last}
    return items_page(request, room.encode(page), following)


def _matching(
    request: web.Request, world: World, room: Room, person: Person, before: int
) -> Iterator[int]:
    """The numbers of the messages that the query asks for, newest first."""
    query = request.query
    found = room.newest_first(before)
    if "parentId" in query:
        parent = _index(world, room, query["parentId"])
        found = (i for i in found if room.parent(i) == parent)
    if "mentionedPeople" in query:
        wanted = query["mentionedPeople"]
        who = person if wanted == "me" else person_of(world.ids, wanted)
        identifier = world.ids.of("PEOPLE", who.number)
        found = (i for i in found if room.mentions(i, who, identifier))
    return found


async def _direct(request: web.Request) -> web.Response:
    person = caller(request, READ)
    world, query = request.app[STATE].world, request.query
    if ("personId" in query) == ("personEmail" in query):
        raise ApiError(400, "Exactly one of personId and personEmail is required.")
    other = person_named(world.ids, query.get("personId"), query.get("personEmail"))
    room = world.direct_room(person, other)
    if room is None:
        raise ApiError(404, NOT_FOUND["ROOM"])
    page = list(itertools.islice(_matching(request, world, room, person, room.end), DEFAULT_PAGE))
    return items_page(request, room.encode(page), None)


async def _create(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await _fields(request)
    room = _target(world, person, body)
    message = _content(body)
    parent = _index(world, room, answered) if (answered := text_of(body, "parentId")) else None
    if parent is not None:
        message["parentId"] = world.ids.of("MESSAGE", room.number, parent)
    room, now = world.keep(room), timeline.now_ms()
    message = {
        "id": world.ids.of("MESSAGE", room.number, room.end),
        "roomId": world.ids.of("ROOM", room.number),
        "roomType": "direct" if room.pair else "group",
        **message,
        "personId": world.ids.of("PEOPLE", person.number),
        "personEmail": person.email,
        "created": timeline.iso(now),
    }
    room.write(message, now, parent)
    announce(request, "messages", "created", message, room)
    return web.json_response(message)


async def _get(request: web.Request) -> web.Response:
    room, index = _seen(request, caller(request, READ))
    return web.json_response(room.message(index))


async def _edit(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    room, index = _seen(request, person)
    world, body = request.app[STATE].world, await sent_object(request)
    message = room.message(index)
    if text_of(body, "roomId") != message["roomId"]:
        raise ApiError(400, "roomId must be that of the message.")
    if body.get("files") or body.get("attachments"):
        raise ApiError(400, "Files and attachments cannot be edited.")
    if message["personEmail"] != person.email:
        raise ApiError(403, "Only the person who wrote a message may edit it.")
    if room.edits.get(index, 0) >= MOST_EDITS:
        raise ApiError(400, f"A message can be edited {MOST_EDITS} times at most.")
    for name in ("text", "markdown", "html", "mentionedPeople"):
        message.pop(name, None)
    message |= _content(body)
    message["updated"] = timeline.iso(timeline.now_ms())
    world.keep(room).change(index, message)
    announce(request, "messages", "updated", message, room)
    return web.json_response(message)


async def _delete(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    room, index = _seen(request, person)
    message = room.message(index)
    if message["personEmail"] != person.email:
        raise ApiError(403, "Only the person who wrote a message may delete it.")
    request.app[STATE].world.keep(room).remove(index)
    announce(request, "messages", "deleted", message, room)
    return web.Response(status=204)


def _seen(request: web.Request, person: Person) -> tuple[Room, int]:
    """The message in the path, if the caller may see it. Raises ApiError 400 or 404."""
    world = request.app[STATE].world
    number, index = world.ids.read("MESSAGE", request.match_info["id"])
    room = world.room(number)
    if room is None or room.deleted or person.number not in room.members or not room.has(index):
        raise ApiError(404, NOT_FOUND["MESSAGE"])
    return room, index


def _index(world: World, room: Room, identifier: str) -> int:
    """The number of a message of this room. Raises ApiError 400 or 404."""
    number, index = world.ids.read("MESSAGE", identifier)
    if number != room.number or not room.has(index):
        raise ApiError(404, NOT_FOUND["MESSAGE"])
    return index


async def _fields(request: web.Request) -> dict[str, Any]:
    """A JSON object, or a form with a file, of which the name is kept and the content not."""
    if request.content_type != "multipart/form-data":
        return await sent_object(request)
    try:
        form = await request.post()
    except (ValueError, LookupError):
        raise ApiError(400, "The form is not valid.") from None
    fields: dict[str, Any] = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            fields["files"] = [f"https://files.sandbox.example/{value.filename}"]
        else:
            fields[name] = value
    return fields


def _target(world: World, person: Person, body: dict[str, Any]) -> Room:
    room, identifier, email = (
        text_of(body, name) for name in ("roomId", "toPersonId", "toPersonEmail")
    )
    if sum(bool(each) for each in (room, identifier, email)) != 1:
        raise ApiError(400, "Exactly one of roomId, toPersonId and toPersonEmail is required.")
    if room:
        return world.seen_room(person, room)
    other = person_named(world.ids, identifier or None, email)
    if other is person:
        raise ApiError(400, "A direct message cannot go to oneself.")
    pair = (person, other)
    return world.direct_room(*pair) or world.create_room(person, other.display_name, pair)


def _content(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a message that its author chooses. Raises ApiError 400."""
    text, markdown = text_of(body, "text"), text_of(body, "markdown")
    files, attachments = body.get("files"), body.get("attachments")
    if not (text or markdown or files or attachments):
        raise ApiError(400, "A message needs text, markdown, files or attachments.")
    for each in (text, markdown):
        if each and len(each.encode("utf-8", "surrogatepass")) > MOST_BYTES:
            raise ApiError(400, f"A message has {MOST_BYTES} bytes at most.")
    for name, value in (("files", files), ("attachments", attachments)):
        if value is not None and (not isinstance(value, list) or len(value) > 1):
            raise ApiError(400, f"'{name}' must be a list of one at most.")
    content: dict[str, Any] = {"text": text or markdown or ""}
    if markdown:
        content["markdown"] = content["html"] = markdown
    if files:
        content["files"] = files
    if attachments:
        content["attachments"] = attachments
    return content
