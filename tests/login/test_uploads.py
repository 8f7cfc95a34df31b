"""Uploads of those who are logged in: with a CSRF token, and each user's own alone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import requests

from tests.support.server import Server
from tests.support.visitor import Visitor

BYTES = {"Content-Type": "application/octet-stream"}


def send(visitor: Visitor, server: Server, **headers: str) -> requests.Response:
    return visitor.post(
        f"{server.url}/api/uploads?name=a.txt", data=b"x", headers={**BYTES, **headers}, timeout=40
    )


def drop(visitor: Visitor, server: Server, upload: str, **headers: str) -> requests.Response:
    return visitor.delete(f"{server.url}/api/uploads/{upload}", headers=headers, timeout=40)


def stored(server: Server) -> list[str]:
    folder = server.folder / "instance" / "uploads"
    return sorted(name for _, _, names in os.walk(folder) for name in names if name != "lock")


def test_an_upload_needs_a_login_and_a_csrf_token(visitor: Visitor, login_server: Server) -> None:
    assert send(visitor, login_server).json()["code"] == "not_logged_in"
    visitor.log_in()
    for headers in ({}, {"X-CSRF-Token": "x"}):
        response = send(visitor, login_server, **headers)
        assert (response.status_code, response.json()["code"]) == (400, "csrf")
    assert stored(login_server) == []
    token = visitor.csrf_token()
    response = send(visitor, login_server, **{"X-CSRF-Token": token})
    assert response.status_code == 201
    upload = response.json()["upload"]
    assert drop(visitor, login_server, upload).json()["code"] == "csrf"
    assert drop(visitor, login_server, upload, **{"X-CSRF-Token": token}).status_code == 204
    assert stored(login_server) == []


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_is_refused_before_anybody_looks_for_a_token_in_it(
    visitor: Visitor, login_server: Server, content_type: str
) -> None:
    visitor.log_in()
    response = visitor.post(
        f"{login_server.url}/api/uploads?name=a",
        data=b"csrf_token=" + b"x" * (8 << 20),
        headers={"Content-Type": content_type},
        timeout=40,
    )
    assert response.status_code == 415


def test_a_form_to_another_call_is_not_read_beyond_the_bound_of_events(
    visitor: Visitor, login_server: Server
) -> None:
    visitor.log_in()
    response = visitor.post(
        f"{login_server.url}/api/runs",
        data=b"csrf_token=" + b"x" * (2 << 20),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=40,
    )
    assert response.status_code == 413


def test_an_upload_of_somebody_else_is_unknown(
    new_visitor: Callable[[], Visitor], login_server: Server
) -> None:
    ada, ben = new_visitor(), new_visitor()
    ada.log_in("ada")
    ben.log_in("ben")
    token = {"X-CSRF-Token": ada.csrf_token()}
    upload = send(ada, login_server, **token).json()["upload"]
    assert drop(ben, login_server, upload, **{"X-CSRF-Token": ben.csrf_token()}).status_code == 404
    response = ben.post(
        f"{login_server.url}/api/runs",
        json={"job": "measure", "params": {"file": upload}},
        headers={"X-CSRF-Token": ben.csrf_token()},
        timeout=40,
    )
    assert response.status_code == 422
    assert "there is no upload" in response.json()["detail"]
    run = ada.start_run("measure", file=upload)
    assert ada.ended(run)["state"] == "succeeded"
    assert ben.open(f"/api/runs/{run}").status_code == 404
