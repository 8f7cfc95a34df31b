"""The contract, driven by a client that others wrote: WebexPythonSDK."""

from __future__ import annotations

import pytest
from webexpythonsdk import ApiError, WebexAPI
from webexpythonsdk.exceptions import RateLimitError

from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Client


def test_people(ada: WebexAPI) -> None:
    me = ada.people.me()
    assert me.displayName == "Ada Example"
    assert me.emails == ["ada@sandbox.example"]
    assert (me.firstName, me.lastName, me.nickName) == ("Ada", "Example", "Ada")
    assert all((me.created, me.lastActivity, me.orgId))
    assert me.type == "person"
    assert ada.people.get(me.id).emails == me.emails
    assert [p.id for p in ada.people.list(email="ada@sandbox.example")] == [me.id]
    assert [p.id for p in ada.people.list(id=me.id)] == [me.id]
    guests = list(ada.people.list(displayName="guest", max=7))  # three pages
    assert len({guest.id for guest in guests}) == len(guests) == 20


def test_a_list_of_people_needs_a_condition(ada: WebexAPI) -> None:
    with pytest.raises(ApiError) as error:
        list(ada.people.list())
    assert error.value.status_code == 400


def test_each_user_sees_as_many_rooms_as_were_asked_for(ada: WebexAPI, ben: WebexAPI) -> None:
    for user in (ada, ben):
        rooms = list(user.rooms.list(max=5))  # three pages
        assert len({room.id for room in rooms}) == len(rooms) == 12
        assert sum(room.type == "direct" for room in rooms) == 3
        assert all(room.title and room.created < room.lastActivity for room in rooms)
    assert len(list(ada.rooms.list(type="direct"))) == 3
    assert len(list(ada.rooms.list(type="group"))) == 9


def test_rooms_are_sorted_as_asked(ada: WebexAPI) -> None:
    by_activity = [room.lastActivity for room in ada.rooms.list(sortBy="lastactivity", max=5)]
    assert by_activity == sorted(by_activity, reverse=True)
    by_creation = [room.created for room in ada.rooms.list(sortBy="created", max=5)]
    assert by_creation == sorted(by_creation, reverse=True)
    by_id = [room.id for room in ada.rooms.list(sortBy="id", max=5)]
    assert by_id == sorted(by_id)


def test_rooms_of_a_team(ada: WebexAPI) -> None:
    teams = list(ada.teams.list())
    assert teams
    counted = 0
    for team in teams:
        rooms = list(ada.rooms.list(teamId=team.id))
        assert {room.teamId for room in rooms} <= {team.id}
        counted += len(rooms)
    assert counted == sum(room.teamId is not None for room in ada.rooms.list())


def test_a_room_lives_and_dies(ada: WebexAPI, ben: WebexAPI) -> None:
    room = ada.rooms.create("Invented <b>room</b> 🎈")
    assert (room.title, room.type, room.isLocked) == ("Invented <b>room</b> 🎈", "group", False)
    assert room.creatorId == ada.people.me().id
    assert len(list(ada.rooms.list())) == 13
    assert ada.rooms.update(room.id, title="Renamed").title == "Renamed"
    assert ada.rooms.get(room.id).title == "Renamed"
    with pytest.raises(ApiError) as error:
        ben.rooms.get(room.id)  # not a member
    assert error.value.status_code == 404
    ada.rooms.delete(room.id)
    with pytest.raises(ApiError) as error:
        ada.rooms.get(room.id)
    assert error.value.message == "Could not find a room with provided ID."
    assert len(list(ada.rooms.list())) == 12


def test_a_generated_room_can_be_changed_and_deleted(ada: WebexAPI, ben: WebexAPI) -> None:
    room = next(iter(ada.rooms.list(type="group")))
    assert ada.rooms.update(room.id, title="Other").title == "Other"
    assert ben.rooms.get(room.id).title == "Other"
    ada.rooms.delete(room.id)
    assert len(list(ada.rooms.list())) == len(list(ben.rooms.list())) == 11


def test_meeting_details(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    info = ada.rooms.get_meeting_info(room.id)
    assert info.roomId == room.id
    assert info.meetingLink.startswith("https://")


def test_memberships(ada: WebexAPI, ben: WebexAPI) -> None:
    room = ada.rooms.create("Members only")
    assert [(m.personEmail, m.isModerator) for m in ada.memberships.list(room.id)] == [
        ("ada@sandbox.example", True)
    ]
    added = ada.memberships.create(room.id, personEmail="ben@sandbox.example")
    assert (added.personDisplayName, added.isModerator) == ("Ben Example", False)
    assert ben.rooms.get(room.id).title == "Members only"
    with pytest.raises(ApiError) as error:
        ada.memberships.create(room.id, personId=added.personId)
    assert error.value.status_code == 409
    assert error.value.message == "Person is already in the room."
    assert ada.memberships.update(added.id, isModerator=True).isModerator
    assert ben.memberships.get(added.id).isModerator
    ada.memberships.delete(added.id)
    with pytest.raises(ApiError):
        ben.rooms.get(room.id)
    assert len(list(ben.memberships.list(max=5))) == 12  # the caller's own


def test_members_of_a_room_come_in_pages(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    members = list(ada.memberships.list(room.id, max=10))
    assert len({member.personId for member in members}) == len(members) == 24
    one = ada.memberships.list(room.id, personEmail="cora@sandbox.example")
    assert [member.personDisplayName for member in one] == ["Cora Example"]


def test_teams(ada: WebexAPI, ben: WebexAPI) -> None:
    team = ada.teams.create("Balloon team")
    assert ada.teams.get(team.id).name == "Balloon team"
    assert ada.teams.update(team.id, name="Kite fans").name == "Kite fans"
    assert team.id not in [each.id for each in ben.teams.list()]
    room = ada.rooms.create("Of the team", teamId=team.id)
    assert [each.id for each in ada.rooms.list(teamId=team.id)] == [room.id]
    ada.teams.delete(team.id)
    with pytest.raises(ApiError) as error:
        ada.teams.get(team.id)
    assert error.value.status_code == 404


def test_webhooks(ada: WebexAPI, ben: WebexAPI) -> None:
    hook = ada.webhooks.create("mine", "http://localhost:1/", "messages", "created", secret="s")
    assert (hook.status, hook.secret) == ("active", "s")
    assert [each.id for each in ada.webhooks.list()] == [hook.id]
    assert not list(ben.webhooks.list())
    changed = ada.webhooks.update(hook.id, name="other", targetUrl="http://localhost:2/")
    assert (changed.name, changed.targetUrl) == ("other", "http://localhost:2/")
    ada.webhooks.delete(hook.id)
    with pytest.raises(ApiError) as error:
        ada.webhooks.get(hook.id)
    assert error.value.status_code == 404


def test_tokens_are_issued_and_refreshed(sandbox: Sandbox, sdk: Client, ada: WebexAPI) -> None:
    redirect = "http://localhost:5000/redirect"
    location = sandbox.consent(
        f"{sandbox.api_url}authorize?response_type=code&client_id=sandbox-client"
        f"&redirect_uri={redirect}&scope=spark:people_read",
        user="cora",
    )
    code = location.partition("?code=")[2]
    client = ("sandbox-client", "sandbox-secret")
    token = ada.access_tokens.get(*client, code, redirect)
    assert sdk(token.access_token).people.me().displayName == "Cora Example"
    again = ada.access_tokens.refresh(*client, token.refresh_token)
    assert again.access_token != token.access_token
    assert sdk(again.access_token).people.me().displayName == "Cora Example"
    assert again.expires_in == 1209599


def test_errors_carry_a_tracking_id(sdk: Client) -> None:
    with pytest.raises(ApiError) as error:
        sdk("wrong").people.me()
    assert error.value.status_code == 401
    assert error.value.message == (
        "The request requires a valid access token set in the Authorization request header."
    )
    assert error.value.tracking_id.startswith("ROUTER_")
    assert error.value.response.headers["TrackingID"] == error.value.tracking_id


def test_rate_limits_are_understood(sandbox: Sandbox, ada: WebexAPI) -> None:
    sandbox.faults({"do": "status", "status": 429, "headers": {"Retry-After": "7"}, "times": 1})
    with pytest.raises(RateLimitError) as error:
        ada.people.me()
    assert error.value.retry_after == 7
    assert ada.people.me()


def test_a_next_link_that_lost_its_size_is_repaired(sandbox: Sandbox, ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    sandbox.faults({"do": "link", "next": "max_null", "times": 1})
    with pytest.warns(RuntimeWarning, match="max=null"):
        assert len(list(ada.messages.list(room.id, max=200))) == 250
