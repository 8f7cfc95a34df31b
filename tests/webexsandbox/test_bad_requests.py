"""What the API refuses, and with which words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webexsandbox.conftest import Call


@pytest.fixture
def room(call: Call) -> str:
    identifier: str = call("GET", "rooms?max=1").json()["items"][0]["id"]
    return identifier


def test_no_token_or_a_wrong_one(call: Call) -> None:
    for header in ("", "Bearer", "Bearer x", "Basic abc", "Bearer sandbox-token-guest01"):
        answer = call("GET", "rooms", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.json()["message"].startswith("The request requires a valid access token")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("messages", 400, "Required String parameter 'roomId' is not present"),
        ("messages?roomId=nonsense", 400, "Expect base64 ID or UUID."),
        ("messages/nonsense", 400, "Expect base64 ID or UUID."),
        ("rooms/nonsense", 400, "Expect base64 ID or UUID."),
        (f"rooms/{'0' * 8}-0000-0000-0000-{'0' * 12}", 404, "Could not find a room with"),
        ("rooms?type=open", 400, "'type'"),
        ("rooms?sortBy=title", 400, "'sortBy'"),
        ("rooms?max=0", 400, "'max'"),
        ("rooms?max=-1", 400, "'max'"),
        ("rooms?max=many", 400, "'max'"),
        ("rooms?max=null", 400, "'max'"),
        ("rooms?cursor=nonsense", 400, "cursor"),
        ("rooms?cursor=e30=", 400, "cursor"),
        ("rooms?cursor=WyJhIl0=", 400, "cursor"),
        ("rooms?from=yesterday", 400, "'from'"),
        ("memberships?personEmail=ada@sandbox.example", 400, "require roomId"),
        ("messages/direct", 400, "Exactly one"),
        ("messages/direct?personEmail=nobody@sandbox.example", 404, "Could not find a person"),
        ("webhooks?ownedBy=me", 400, "'ownedBy'"),
        ("nothing", 404, "Not Found"),
    ],
)
def test_a_wrong_question(call: Call, path: str, status: int, message: str) -> None:
    answer = call("GET", path)
    assert answer.status_code == status
    assert message in answer.json()["message"]
    assert answer.json()["trackingId"] == answer.headers["TrackingID"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("rooms", {}, "Title cannot be empty."),
        ("rooms", {"title": "  "}, "Title cannot be empty."),
        ("rooms", {"title": 5}, "'title'"),
        ("rooms", {"title": "x", "isLocked": "yes"}, "'isLocked'"),
        ("rooms", ["x"], "must be a JSON object"),
        ("messages", {"text": "x"}, "Exactly one of roomId, toPersonId and toPersonEmail"),
        ("messages", {"text": "x", "roomId": "ROOM", "toPersonEmail": "b"}, "Exactly one of"),
        ("messages", {"roomId": "ROOM"}, "needs text"),
        ("messages", {"roomId": "ROOM", "text": "ü" * 3720}, "7439 bytes"),
        ("messages", {"roomId": "ROOM", "text": "x", "files": "one"}, "'files'"),
        ("messages", {"toPersonEmail": "ada@sandbox.example", "text": "x"}, "oneself"),
        ("memberships", {"roomId": "ROOM"}, "Exactly one of personId and personEmail"),
        ("teams", {"name": ""}, "Name cannot be empty."),
        ("webhooks", {"name": "x", "resource": "all", "event": "all"}, "'targetUrl'"),
    ],
)
def test_a_wrong_order(call: Call, room: str, path: str, body: Any, message: str) -> None:
    if isinstance(body, dict) and body.get("roomId") == "ROOM":
        body = {**body, "roomId": room}
    answer = call("POST", path, json=body)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


@pytest.mark.parametrize("resource", ["resource", "event", "targetUrl"])
def test_a_webhook_for_nothing_that_exists(call: Call, resource: str) -> None:
    body = {"name": "x", "resource": "all", "event": "all", "targetUrl": "http://localhost:1"}
    answer = call("POST", "webhooks", json={**body, resource: "nonsense"})
    assert answer.status_code == 400
    assert resource in answer.json()["message"]


def test_a_text_of_the_longest_size_is_taken(call: Call, room: str) -> None:
    answer = call("POST", "messages", json={"roomId": room, "text": "x" * 7439})
    assert answer.status_code == 200


def test_bodies_that_are_no_json(call: Call) -> None:
    json_type = {"Content-Type": "application/json"}
    assert call("POST", "rooms", data="{", headers=json_type).status_code == 400
    assert call("POST", "rooms", data=b"\xff", headers=json_type).status_code == 400
    assert call("POST", "rooms", data="[" * 100_000, headers=json_type).status_code == 400
    half = r'{"title": "\ud800"}'
    assert call("POST", "rooms", data=half, headers=json_type).status_code == 400
    assert call("POST", "rooms", data={"title": "x"}).status_code == 415
    large = call("POST", "messages", files={"files": b"x" * (17 << 20)})
    assert large.status_code == 413
    assert large.json()["trackingId"]


def test_a_message_with_a_file(call: Call, room: str) -> None:
    made = call("POST", "messages", data={"roomId": room}, files={"files": ("a.png", b"x")})
    assert made.status_code == 200
    assert made.json()["files"] == ["https://files.sandbox.example/a.png"]


def test_methods_that_do_not_exist(call: Call) -> None:
    answer = call("PATCH", "rooms")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET,HEAD,POST"
    assert answer.json()["trackingId"]


def test_others_messages_stay_as_they_are(call: Call, room: str) -> None:
    mine = call("POST", "messages", json={"roomId": room, "text": "mine"}).json()["id"]
    change = {"roomId": room, "text": "yours"}
    assert call("PUT", f"messages/{mine}", json=change, user="ben").status_code == 403
    assert call("PUT", f"messages/{mine}", json={"text": "x"}).status_code == 400
    files = {"roomId": room, "text": "x", "files": ["http://localhost/a"]}
    assert call("PUT", f"messages/{mine}", json=files).status_code == 400
    assert call("GET", f"messages/{mine}").json()["text"] == "mine"


def test_direct_rooms_cannot_be_changed(call: Call) -> None:
    room = call("GET", "rooms?type=direct").json()["items"][0]["id"]
    assert call("DELETE", f"rooms/{room}").status_code == 400
    assert call("PUT", f"rooms/{room}", json={"title": "x"}).status_code == 400
    member = {"roomId": room, "personEmail": "guest01@sandbox.example"}
    assert call("POST", "memberships", json=member).status_code == 400


def test_pages_larger_than_allowed_are_clamped(call: Call, room: str) -> None:
    path = f"messages?roomId={room}&max=1000000"
    assert len(call("GET", path).json()["items"]) == 250
    mentions = call("GET", f"messages?roomId={room}&mentionedPeople=me&max=1000")
    assert "max=100" in mentions.links.get("next", {"url": "max=100"})["url"]


def test_a_client_may_name_its_request(call: Call) -> None:
    answer = call("GET", "rooms", headers={"TrackingID": "CLIENT_1-a"})
    assert answer.headers["TrackingID"] == "CLIENT_1-a"
    answer = call("GET", "rooms", headers={"TrackingID": "a b<c>"})
    assert answer.headers["TrackingID"].startswith("ROUTER_")


def test_created_is_200_and_deleted_204(call: Call) -> None:
    made = call("POST", "rooms", json={"title": "x"})
    assert made.status_code == 200
    identifier = made.json()["id"]
    assert call("PUT", f"rooms/{identifier}", json={"title": "y"}).status_code == 200
    gone = call("DELETE", f"rooms/{identifier}")
    assert (gone.status_code, gone.content) == (204, b"")


def test_many_ids_of_people(call: Call) -> None:
    me = call("GET", "people/me").json()["id"]
    assert call("GET", f"people?id={','.join([me] * 85)}").status_code == 200
    assert call("GET", f"people?id={','.join([me] * 86)}").status_code == 400


def test_a_page_is_not_shifted_by_what_vanishes(call: Call) -> None:
    rooms = [room["id"] for room in call("GET", "rooms").json()["items"]]
    first = call("GET", "rooms?max=4")
    call("DELETE", f"rooms/{rooms[1]}")
    call("DELETE", f"rooms/{rooms[3]}")
    second = call("GET", first.links["next"]["url"]).json()["items"]
    assert [room["id"] for room in second] == rooms[4:8]
