"""``/v1/people``: all are invented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from webexsandbox.access import caller
from webexsandbox.cast import BY_EMAIL, CAST, CREATED, Person
from webexsandbox.errors import ApiError
from webexsandbox.ids import NOT_FOUND, Ids
from webexsandbox.paging import keyed_page
from webexsandbox.state import STATE

READ = "spark:people_read"
MOST_IDS = 85


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/people", _list),
        web.get("/v1/people/me", _me),
        web.get("/v1/people/{id}", _get),
    ]


def person_of(ids: Ids, identifier: str) -> Person:
    """The person of an identifier. Raises ApiError 400 or 404."""
    number, _ = ids.read("PEOPLE", identifier)
    if number >= len(CAST):
        raise ApiError(404, NOT_FOUND["PEOPLE"])
    return CAST[number]


def person_named(ids: Ids, identifier: str | None, email: str | None) -> Person:
    """The person of an identifier or, without one, of an address. Raises ApiError 400 or 404."""
    if identifier is not None:
        return person_of(ids, identifier)
    person = BY_EMAIL.get((email or "").lower())
    if person is None:
        raise ApiError(404, "Could not find a person with provided email.")
    return person


async def _me(request: web.Request) -> web.Response:
    person = caller(request, READ)
    return web.json_response(_show(request.app[STATE].world.ids, person))


async def _get(request: web.Request) -> web.Response:
    caller(request, READ)
    ids = request.app[STATE].world.ids
    return web.json_response(_show(ids, person_of(ids, request.match_info["id"])))


async def _list(request: web.Request) -> web.Response:
    caller(request, READ)
    ids, query = request.app[STATE].world.ids, request.query
    if not any(query.get(name) for name in ("email", "displayName", "id")):
        raise ApiError(400, "Email, displayName, or id list should be specified.")
    found = list(CAST)
    if "id" in query:
        wanted = query["id"].split(",")
        if len(wanted) > MOST_IDS:
            raise ApiError(400, f"More than {MOST_IDS} ids.")
        numbers = {ids.read("PEOPLE", each)[0] for each in wanted}
        found = [person for person in found if person.number in numbers]
    if "orgId" in query and ids.read("ORGANIZATION", query["orgId"])[0] != 0:
        found = []
    if "email" in query:
        found = [person for person in found if person.email == query["email"].lower()]
    if "displayName" in query:
        start = query["displayName"].lower()
        found = [person for person in found if person.display_name.lower().startswith(start)]
    return keyed_page(
        request,
        found,
        lambda person: (person.number,),
        lambda person: _show(ids, person),
        default=100,
        most=request.app[STATE].settings.max_clamp,
    )


def _show(ids: Ids, person: Person) -> Mapping[str, Any]:
    return {
        "id": ids.of("PEOPLE", person.number),
        "emails": [person.email],
        "displayName": person.display_name,
        "nickName": person.first,
        "firstName": person.first,
        "lastName": "Example",
        "avatar": f"https://files.sandbox.example/{person.name}.png",
        "orgId": ids.of("ORGANIZATION", 0),
        "created": CREATED,
        "lastModified": CREATED,
        "lastActivity": CREATED,
        "status": "active",
        "type": "person",
    }
