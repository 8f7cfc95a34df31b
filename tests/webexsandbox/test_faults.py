"""Each kind of misbehaviour, seen by a client."""

from __future__ import annotations

import concurrent.futures
import json
import time
from typing import Any

import pytest
import requests

from tests.support.patience import eventually
from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call

JSON_429 = {"do": "status", "status": 429}


def statuses(call: Call, count: int, path: str = "rooms", **options: Any) -> list[int]:
    return [call("GET", path, **options).status_code for _ in range(count)]


def rooms(call: Call) -> list[str]:
    return [room["id"] for room in call("GET", "rooms").json()["items"]]


@pytest.mark.parametrize(
    "value", ["5", "0", "3600", "rand(30),add(30)", "Wed, 21 Oct 2026 07:28:00 GMT", None]
)
def test_too_many_requests_with_any_retry_after(
    sandbox: Sandbox, call: Call, value: str | None
) -> None:
    headers = {} if value is None else {"Retry-After": value}
    sandbox.faults({**JSON_429, "headers": headers, "times": 2})
    answer = call("GET", "rooms")
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == value
    assert answer.json()["trackingId"] == answer.headers["TrackingID"]
    assert answer.json()["errors"][0]["description"] == answer.json()["message"]
    assert statuses(call, 2) == [429, 200]


def test_a_fault_hits_each_kth_after_some_and_so_often(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({**JSON_429, "after": 2, "every": 2, "times": 2})
    assert statuses(call, 8) == [200, 200, 200, 429, 200, 429, 200, 200]


def test_a_fault_is_for_one_room_user_method_path_or_query(sandbox: Sandbox, call: Call) -> None:
    first, second, *_ = rooms(call)
    sandbox.faults({**JSON_429, "match": {"room": first, "path": "/v1/messages*"}})
    assert statuses(call, 1, f"messages?roomId={first}") == [429]
    assert statuses(call, 1, f"messages?roomId={second}") == [200]
    assert statuses(call, 1, f"rooms/{first}") == [200]
    sent = call("POST", "messages", json={"roomId": first, "text": "x"})
    assert sent.status_code == 429
    sandbox.reset()
    sandbox.faults({**JSON_429, "match": {"user": "ben"}})
    assert statuses(call, 1) == [200]
    assert statuses(call, 1, user="ben") == [429]
    sandbox.reset()
    sandbox.faults({**JSON_429, "match": {"method": "GET", "path": "/v1/rooms"}})
    assert call("POST", "rooms", json={"title": "x"}).status_code == 200
    assert statuses(call, 1) == [429]
    assert statuses(call, 1, f"rooms/{first}") == [200]
    sandbox.reset()
    sandbox.faults({**JSON_429, "match": {"query": {"max": "7"}}})
    assert statuses(call, 1, "rooms?max=7") == [429]
    assert statuses(call, 1, "rooms?max=8") == [200]


def test_a_room_is_known_by_its_message(sandbox: Sandbox, call: Call) -> None:
    room = rooms(call)[0]
    message = call("GET", f"messages?roomId={room}&max=1").json()["items"][0]["id"]
    sandbox.faults({**JSON_429, "match": {"room": room}})
    assert statuses(call, 1, f"messages/{message}") == [429]


@pytest.mark.parametrize("status", [200, 502, 503, 504])
def test_html_where_json_was_expected(sandbox: Sandbox, call: Call, status: int) -> None:
    sandbox.faults({"do": "status", "status": status, "body": "<h1>Sorry</h1>", "times": 1})
    answer = call("GET", "rooms")
    assert (answer.status_code, answer.text) == (status, "<h1>Sorry</h1>")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert statuses(call, 1) == [200]


@pytest.mark.parametrize("status", [401, 403, 423, 500])
def test_errors_in_both_shapes(sandbox: Sandbox, call: Call, status: int) -> None:
    body = {"error": "invalid_token", "error_description": "no"}
    sandbox.faults(
        {"do": "status", "status": status, "times": 1},
        {"do": "status", "status": status, "body": body, "times": 1, "after": 1},
    )
    first, second = call("GET", "rooms"), call("GET", "rooms")
    assert first.status_code == second.status_code == status
    assert set(first.json()) == {"message", "errors", "trackingId"}
    assert second.json() == body


def test_a_connection_dropped_before_the_answer(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "drop", "times": 1})
    with pytest.raises(requests.ConnectionError):
        call("GET", "rooms")
    assert sandbox.control()["log"][0]["status"] is None
    assert statuses(call, 1) == [200]


def test_a_connection_dropped_in_the_body(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "drop", "when": "body", "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        call("GET", "rooms")
    assert statuses(call, 1) == [200]


def test_truncated_json(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "truncate", "times": 1})
    answer = call("GET", "rooms")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert call("GET", "rooms").content.startswith(answer.content)


def test_late_headers(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "delay", "seconds": 0.4, "times": 1})
    assert call("GET", "rooms").elapsed.total_seconds() >= 0.4
    assert sandbox.control()["log"][0]["seconds"] >= 0.4


def test_a_slow_body(sandbox: Sandbox, call: Call) -> None:
    whole = call("GET", "rooms").content
    sandbox.faults({"do": "dribble", "seconds": 2, "pieces": 4, "times": 1})
    began = time.monotonic()
    answer = call("GET", "rooms", stream=True)
    headers_after = time.monotonic() - began
    assert answer.content == whole
    assert time.monotonic() - began >= 2 > headers_after


def test_no_answer_at_all(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "hang", "times": 1})
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.api_url}rooms", timeout=0.3)
    # It ends with its connection, and is not counted any more.
    eventually(lambda: sandbox.control()["in_flight"] == 0)
    entry = sandbox.control()["log"][0]
    assert (entry["status"], entry["path"]) == (None, "/v1/rooms")
    assert statuses(call, 1) == [200]


def test_a_list_without_items(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "without_items", "times": 1})
    assert call("GET", "rooms?max=2").json() == {}
    assert "items" in call("GET", "rooms?max=2").json()


def next_link(call: Call, path: str) -> str:
    url: str = call("GET", path).links["next"]["url"]
    return url


def test_a_next_link_that_leads_elsewhere(sandbox: Sandbox, call: Call) -> None:
    right = next_link(call, "rooms?max=2")
    sandbox.faults(
        {"do": "link", "next": "foreign", "times": 1},
        {"do": "link", "next": "foreign", "origin": "https://other.invalid:7", "after": 1},
    )
    assert next_link(call, "rooms?max=2") == right.replace(sandbox.url, "http://foreign.invalid")
    assert next_link(call, "rooms?max=2") == right.replace(sandbox.url, "https://other.invalid:7")


def test_a_next_link_to_the_same_page(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "link", "next": "loop"})
    first = next_link(call, "rooms?max=2")
    assert first == f"{sandbox.api_url}rooms?max=2"
    assert call("GET", first).json() == call("GET", "rooms?max=2").json()


def test_a_next_link_that_lost_parameters(sandbox: Sandbox, call: Call) -> None:
    room = rooms(call)[0]
    sandbox.faults({"do": "link", "next": "max_null", "times": 1})
    path = f"messages?roomId={room}&max=2"
    link = next_link(call, path)
    assert "max=null" in link
    assert call("GET", link).status_code == 400
    sandbox.faults({"do": "link", "drop": "roomId", "times": 1})
    link = next_link(call, path)
    assert "roomId" not in link
    assert call("GET", link).json()["message"] == (
        "Required String parameter 'roomId' is not present"
    )


def test_an_empty_page_with_a_next_link_loses_nothing(sandbox: Sandbox, call: Call) -> None:
    whole = call("GET", "rooms?max=3").json()
    sandbox.faults({"do": "empty_page", "times": 1})
    answer = call("GET", "rooms?max=3")
    assert answer.json() == {"items": []}
    assert call("GET", answer.links["next"]["url"]).json() == whole


def test_a_room_vanishes_in_the_middle(sandbox: Sandbox, call: Call) -> None:
    room, other, *_ = rooms(call)
    sandbox.faults({"do": "vanish_room", "match": {"room": room}, "after": 1})
    link = next_link(call, f"messages?roomId={room}&max=5")
    answer = call("GET", link)
    assert answer.status_code == 404
    assert answer.json()["message"] == "Could not find a room with provided ID."
    assert room not in rooms(call)
    sandbox.faults({"do": "vanish_room", "room": other})
    assert other not in rooms(call)


def test_a_message_vanishes_in_the_middle(sandbox: Sandbox, call: Call) -> None:
    room = rooms(call)[0]
    path = f"messages?roomId={room}&max=5"
    page = call("GET", path).json()["items"]
    sandbox.faults({"do": "vanish_message", "match": {"path": "/v1/messages"}, "times": 2})
    link = next_link(call, path)  # names no message yet: nothing vanishes
    assert call("GET", link).status_code == 404
    assert [m["id"] for m in call("GET", path).json()["items"]][:4] == [m["id"] for m in page[:4]]
    before = f"{path}&before={page[4]['created']}"
    assert len(call("GET", before).json()["items"]) == 5
    gone = page[0]["id"]
    sandbox.faults({"do": "vanish_message", "message": gone, "times": 1})
    assert statuses(call, 1, f"messages/{gone}") == [404]


def test_pages_are_clamped_as_set(sandbox: Sandbox, call: Call) -> None:
    room = rooms(call)[0]
    sandbox.settings(max_clamp=40)
    answer = call("GET", f"messages?roomId={room}&max=1000")
    assert len(answer.json()["items"]) == 40
    assert "max=40" in answer.links["next"]["url"]


def test_latency_is_for_each_answer(sandbox: Sandbox, call: Call) -> None:
    sandbox.settings(latency=0.3)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call("GET", "people/me"), range(4)))
    assert all(answer.elapsed.total_seconds() >= 0.3 for answer in answers)
    assert sandbox.control()["most_in_flight"] == 4


def test_faults_add_up(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "delay", "seconds": 0.2}, {"do": "without_items"}, {"do": "truncate"})
    answer = call("GET", "rooms")
    assert answer.elapsed.total_seconds() >= 0.2
    assert answer.content == b"{"


def test_nothing_but_the_api_is_disturbed(sandbox: Sandbox) -> None:
    sandbox.faults({"do": "status", "status": 500})
    assert requests.get(f"{sandbox.url}/sandbox.css", timeout=60).status_code == 200
    assert json.dumps(sandbox.control())
