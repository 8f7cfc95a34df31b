"""``/v1/teams``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from webexsandbox import timeline
from webexsandbox.access import caller, sent_object, text_of
from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.ids import NOT_FOUND, Ids
from webexsandbox.paging import keyed_page
from webexsandbox.state import STATE
from webexsandbox.world import Team, World

READ = "spark:teams_read"
WRITE = "spark:teams_write"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/teams", _list),
        web.post("/v1/teams", _create),
        web.get("/v1/teams/{id}", _get),
        web.put("/v1/teams/{id}", _update),
        web.delete("/v1/teams/{id}", _delete),
    ]


def team_of(world: World, person: Person, identifier: str) -> Team:
    """The team of an identifier, for a member of it. Raises ApiError 400 or 404."""
    team = world.teams.get(world.ids.read("TEAM", identifier)[0])
    if team is None or person.number not in team.members:
        raise ApiError(404, NOT_FOUND["TEAM"])
    return team


async def _list(request: web.Request) -> web.Response:
    person = caller(request, READ)
    state = request.app[STATE]
    return keyed_page(
        request,
        [team for team in state.world.teams.values() if person.number in team.members],
        lambda team: (team.number,),
        lambda team: _show(state.world.ids, team),
        default=100,
        most=state.settings.max_clamp,
    )


async def _create(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await sent_object(request)
    name, description = _name(body), text_of(body, "description") or ""
    team = world.create_team(name, description, person, timeline.now_ms())
    return web.json_response(_show(world.ids, team))


async def _get(request: web.Request) -> web.Response:
    person = caller(request, READ)
    world = request.app[STATE].world
    return web.json_response(_show(world.ids, team_of(world, person, request.match_info["id"])))


async def _update(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await sent_object(request)
    team = team_of(world, person, request.match_info["id"])
    name, description = _name(body), text_of(body, "description")
    team.name = name
    team.description = team.description if description is None else description
    return web.json_response(_show(world.ids, team))


async def _delete(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world = request.app[STATE].world
    del world.teams[team_of(world, person, request.match_info["id"]).number]
    return web.Response(status=204)


def _name(body: Mapping[str, Any]) -> str:
    name = (text_of(body, "name") or "").strip()
    if not name:
        raise ApiError(400, "Name cannot be empty.")
    return name


def _show(ids: Ids, team: Team) -> Mapping[str, Any]:
    return {
        "id": ids.of("TEAM", team.number),
        "name": team.name,
        "description": team.description,
        "created": timeline.iso(team.created_ms),
        "creatorId": ids.of("PEOPLE", team.creator.number),
    }
