"""The control endpoint: what it tells, what it refuses, and how it resets."""

from __future__ import annotations

import concurrent.futures
import json

import pytest
import requests
from aiohttp.test_utils import make_mocked_request

from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call
from webexsandbox.control import PATH, refuse_others
from webexsandbox.errors import ApiError


def post(sandbox: Sandbox, body: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/_control", json=body, timeout=60)


def test_the_log_says_who_asked_what(sandbox: Sandbox, call: Call) -> None:
    room = call("GET", "rooms?max=1").json()["items"][0]["id"]
    call("GET", f"messages?roomId={room}&max=2", user="ben")
    call("GET", "people/me", token="nonsense")
    shown = sandbox.control()
    assert (shown["requests"], shown["in_flight"], shown["most_in_flight"]) == (3, 0, 1)
    first, second, third = shown["log"]
    assert (first["method"], first["path"], first["query"]) == ("GET", "/v1/rooms", {"max": "1"})
    assert (first["user"], first["room"], first["status"]) == ("ada", None, 200)
    assert (second["user"], second["room"]) == ("ben", room)
    assert (third["user"], third["status"]) == (None, 401)
    assert first["started"] <= second["started"] <= third["started"]
    assert all(0 <= entry["seconds"] < 60 for entry in shown["log"])


def test_the_log_holds_no_token(sandbox: Sandbox, call: Call) -> None:
    call("GET", "rooms?access_token=secret-in-query&token=another-secret")
    requests.post(
        f"{sandbox.api_url}access_token",
        data={"client_secret": "sandbox-secret", "refresh_token": "secret-in-body"},
        timeout=60,
    )
    shown = json.dumps(sandbox.control())
    assert "secret" not in shown
    assert "sandbox-token" not in shown
    assert sandbox.control()["token_calls"] == 1


def test_the_most_requests_in_flight_are_counted(sandbox: Sandbox, call: Call) -> None:
    sandbox.settings(latency=1.0)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: call("GET", "people/me"), range(6)))
    assert sandbox.control()["most_in_flight"] == 6


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"faults": [{"do": "explode"}]}, "status(status, headers, body, content_type)"),
        ({"faults": [{"do": "drop", "wehn": "body"}]}, "drop(when)"),
        ({"faults": [{"do": "drop", "when": "later"}]}, "later"),
        ({"faults": [{"do": "delay"}]}, "seconds"),
        ({"faults": [{"do": "link"}]}, "exactly one"),
        ({"faults": [{"do": "link", "next": "loop", "drop": "max"}]}, "exactly one"),
        ({"faults": [{"do": "hang", "match": {"rom": "x"}}]}, "rom"),
        ({"faults": [{"match": {}}]}, "do"),
        ({"settings": {"latencies": 1}}, "latency, max_clamp"),
        ({"settings": {"latency": "slow"}}, "latency"),
        ({"faults": [{"do": "status", "status": 99}]}, "status"),
        ({"faults": [{"do": "status", "status": 500, "headers": {"A": "b\nC: d"}}]}, "header"),
        ({"faults": [{"do": "hang", "every": 0}]}, "every"),
        ({"faults": [{"do": "delay", "seconds": -1}]}, "seconds"),
        ({"settings": {"max_clamp": 0}}, "max_clamp"),
        ({"nothing": 1}, "nothing"),
        ([], "object"),
    ],
)
def test_what_it_does_not_know_is_named(sandbox: Sandbox, body: object, says: str) -> None:
    answer = post(sandbox, body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_half_an_order_changes_nothing(sandbox: Sandbox, call: Call) -> None:
    answer = post(
        sandbox, {"faults": [{"do": "status", "status": 500}], "settings": {"latency": "slow"}}
    )
    assert answer.status_code == 400
    assert call("GET", "rooms").status_code == 200


def test_too_many_faults_are_refused(sandbox: Sandbox) -> None:
    answer = post(sandbox, {"faults": [{"do": "hang"}] * 1001})
    assert answer.status_code == 400
    assert "1000" in answer.json()["message"]


def test_it_answers_to_this_machine_only(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_control"
    for headers in ({"Host": "evil.test"}, {"Host": "evil.test:80"}):
        assert requests.get(url, headers=headers, timeout=60).status_code == 403
        assert requests.delete(url, headers=headers, timeout=60).status_code == 403
        answer = requests.post(url, json={}, headers=headers, timeout=60)
        assert answer.status_code == 403
    # What a page of another site may send without asking first.
    assert requests.post(url, data='{"faults": []}', timeout=60).status_code == 415
    assert requests.get(url, headers={"Host": "localhost:1"}, timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("remote", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("2001:db8::7", False),
        ("", False),
    ],
)
def test_other_machines_are_refused(remote: str, is_here: bool) -> None:
    request = make_mocked_request("GET", PATH, headers={"Host": "localhost"}).clone(remote=remote)
    if is_here:
        refuse_others(request)
    else:
        with pytest.raises(ApiError) as error:
            refuse_others(request)
        assert error.value.status == 403


def test_a_reset_forgets_everything(sandbox: Sandbox, call: Call) -> None:
    before = call("GET", "rooms").content
    room = call("GET", "rooms").json()["items"][0]["id"]
    call("POST", "rooms", json={"title": "new"})
    call("POST", "messages", json={"roomId": room, "text": "new"})
    call("DELETE", f"rooms/{room}")
    hook = {"name": "n", "targetUrl": "http://localhost:1", "resource": "all", "event": "all"}
    call("POST", "webhooks", json=hook)
    call("POST", "teams", json={"name": "new"})
    assert call("GET", "rooms").content != before
    sandbox.settings(latency=0.1)
    sandbox.faults({"do": "status", "status": 500})
    sandbox.reset()
    assert sandbox.control()["requests"] == 0
    assert sandbox.control()["log"] == []
    assert call("GET", "rooms").content == before
    assert call("GET", f"messages?roomId={room}").json()["items"][0]["text"] != "new"
    assert call("GET", "webhooks").json()["items"] == []
    assert len(call("GET", "teams").json()["items"]) == 2
