"""Bad input gets a clear error, over each door, and the server lives on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from tests.support.server import Server, misconfigured

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
SOCKET = "/socket.io/?EIO=4&transport=websocket"


def problem(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error, which must be a problem as RFC 9457 has it."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["title"]
    assert body["detail"]
    return response.status_code, body["code"]


@pytest.fixture(scope="module")
def ended_run(server: Server) -> str:
    run = server.start_run("greet")
    server.ended(run)
    return run


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"job": "no_such"}, 404, "unknown_job"),
        ({"job": 7}, 400, "bad_request"),
        ({}, 400, "bad_request"),
        ([], 400, "bad_request"),
        ({"job": "count", "params": {"lines": "many"}}, 422, "bad_parameters"),
        ({"job": "count", "params": {"lines": 1.5}}, 422, "bad_parameters"),
        ({"job": "count", "params": {"colour": "red"}}, 422, "bad_parameters"),
        ({"job": "count", "params": None}, 422, "bad_parameters"),
    ],
)
def test_a_wrong_start_is_refused(server: Server, body: object, status: int, code: str) -> None:
    response = requests.post(server.url + "/api/runs", json=body, timeout=60)
    assert problem(response) == (status, code)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(server: Server, body: bytes) -> None:
    response = requests.post(
        server.url + "/api/runs",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert problem(response) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/api/runs", "/api/runs/any/stop"])
def test_a_form_is_not_taken_for_json(server: Server, path: str) -> None:
    response = requests.post(server.url + path, data={"job": "greet"}, timeout=60)
    assert response.status_code == 415
    assert problem(response)[0] == 415


def test_a_request_that_is_too_large_is_refused(server: Server) -> None:
    response = server.post("/api/runs", {"job": "x" * (1 << 21)})
    assert problem(response)[0] == 413
    assert server.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["", "/output", "/output?follow=1"])
def test_an_unknown_run_is_not_found(server: Server, path: str) -> None:
    assert problem(server.get(f"/api/runs/nope{path}")) == (404, "unknown_run")


@pytest.mark.parametrize("offset", ["-1", "13", "1e3", "x", "", "9" * 400, "%D9%A3"])
def test_an_offset_outside_the_output_is_refused(
    server: Server, ended_run: str, offset: str
) -> None:
    response = server.get(f"/api/runs/{ended_run}/output?offset={offset}")
    assert problem(response) == (416, "bad_offset")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "state=happy"])
def test_a_wrong_list_is_refused(server: Server, query: str) -> None:
    assert problem(server.get(f"/api/runs?{query}")) == (400, "bad_request")


def test_calls_that_do_not_exist_are_problems_too(server: Server) -> None:
    response = requests.delete(server.url + "/api/runs", timeout=60)
    assert problem(response) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST"
    assert problem(server.get("/api/runs/any/stop")) == (405, "method_not_allowed")
    assert problem(server.get("/api/nothing")) == (404, "not_found")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example"])
def test_another_host_name_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/api/jobs", "/healthz", SOCKET):
        assert problem(server.get(path, headers={"Host": host})) == (421, "not_allowed")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
def test_pages_of_others_cannot_start_a_job(server: Server, origin: str) -> None:
    response = server.post("/api/runs", {"job": "greet"}, headers={"Origin": origin})
    assert problem(response) == (403, "not_allowed")
    response = server.get(SOCKET, headers={**HANDSHAKE, "Origin": origin})
    assert problem(response) == (403, "not_allowed")
    response = server.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
    assert problem(response) == (403, "not_allowed")


def test_a_page_of_the_server_itself_can(server: Server) -> None:
    response = server.post("/api/runs", {"job": "greet"}, headers={"Origin": server.url})
    assert response.status_code == 201
    server.ended(response.json()["id"])


def fault(**environ: str) -> str:
    """The one line that a server that cannot start says; its exit code must be 2."""
    code, said = misconfigured(**environ)
    assert code == 2, said
    lines = said.splitlines()
    assert len(lines) == 1, said
    return lines[0]


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = fault(PORT=port)
    assert port in line
    assert "in use" in line


def test_a_redis_that_does_not_answer_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://:secret@127.0.0.1:{silent.getsockname()[1]}/0"
        line = fault(REDIS_URL=url)
    assert line.startswith("REDIS_URL:")
    assert "does not answer" in line
    assert "secret" not in line


def test_a_redis_that_is_not_there_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    line = fault(REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert line.startswith("REDIS_URL: there is no Redis at")


def test_wrong_settings_are_said_in_a_line_each(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    code, said = misconfigured(HOST="0.0.0.0", JOBS_PATH=str(missing), PORT="http")
    assert code == 2
    assert [line.split(":")[0] for line in said.splitlines()] == ["PORT", "JOBS_PATH", "HOST"]
    assert "neither a login" in said
    assert str(missing) in said
