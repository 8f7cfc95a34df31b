"""Hostile parameters at the doors of a real server: clear errors, and it lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import socketio

from tests.support.server import Server
from tests.support.socketclient import ordered_client

LONG = json.dumps([0] * 400_000, separators=(",", ":"))
HOSTILE = [
    ('{"text": "a\\u0000b"}', "it has a NUL character"),
    ('{"text": "\\ud800"}', "half of a surrogate pair"),
    ('{"data": {"\\udfff": 1}}', "half of a surrogate pair"),
    ('{"numbers": [NaN]}', "no such number in JSON"),
    ('{"numbers": [-Infinity]}', "no such number in JSON"),
    ('{"numbers": [1e400]}', "no such number in JSON"),
    ('{"data": 9007199254740992}', "not exact in a browser"),
    (f'{{"data": {"[" * 100}{"]" * 100}}}', "nested more than 32 levels deep"),
    (f'{{"data": {LONG}}}', "more than 10,000 items"),
    (f'{{"numbers": {LONG}}}', "more than 10,000 items"),
    (f'{{"text": "{"x" * 900_000}"}}', "more than 65,536 characters"),
    (f'{{"{"x" * 900_000}": 1}}', "there is no parameter"),
    (json.dumps({f"name {number}": 1 for number in range(50_000)}), "there is no parameter"),
]
# Engine.IO drops what has whole numbers of more than 100 digits, and says so in the log.
LONG_NUMBERS = [
    (f'{{"numbers": [1{"0" * 4000}]}}', "the number is too large"),
    (f'{{"data": 1{"0" * 4000}}}', "the number is too large"),
]


def each(*cases: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("params", "said"), cases, ids=[said for _, said in cases])


@pytest.fixture
def client(server: Server) -> Iterator[socketio.Client]:
    made = ordered_client()
    made.connect(server.url, transports=["websocket"])
    yield made
    made.disconnect()


@each(*HOSTILE, *LONG_NUMBERS)
def test_hostile_parameters_are_refused_over_http(server: Server, params: str, said: str) -> None:
    response = requests.post(
        f"{server.url}/api/runs",
        data=f'{{"job": "anything", "params": {params}}}',
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
    assert (response.status_code, response.json()["code"]) == (422, "bad_parameters")
    assert said in response.json()["detail"]
    assert len(response.text) < 4000


@each(*HOSTILE)
def test_hostile_parameters_are_refused_over_the_socket(
    client: socketio.Client, params: str, said: str
) -> None:
    error = start(client, json.loads(params))["error"]
    assert error["code"] == "bad_parameters"
    assert said in error["message"]


def test_bytes_are_no_parameter(client: socketio.Client) -> None:
    assert "bytes is no type of JSON" in start(client, {"data": b"x"})["error"]["message"]


def test_what_json_has_is_taken_and_given_again(client: socketio.Client, server: Server) -> None:
    params = {"text": "a\nb 😀", "numbers": [1, 1e300, -0.5], "data": {"x": [None, True, "y"]}}
    first = start(client, params)["run"]
    again = start(client, first["params"])["run"]
    assert first["params"] == params
    assert again["params"] == params
    for run in (first, again):
        assert server.ended(run["id"])["state"] == "succeeded"


def start(client: socketio.Client, params: Any) -> Any:
    return client.call("start", {"job": "anything", "params": params}, timeout=20)
