"""Logging in and out, as it goes well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from itsdangerous.url_safe import URLSafeSerializer

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor, parameter
from tests.support.webexsandbox import Sandbox


def test_who_is_not_logged_in_is_sent_to_webex_and_back(
    visitor: Visitor, login_server: Server
) -> None:
    response = visitor.open("/runs/some-run?x=1")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "/login?next=/runs/some-run?x%3D1",
    )
    back = visitor.log_in(path=response.headers["Location"])
    assert back.headers["Location"] == "/runs/some-run?x=1"
    page = visitor.open("/")
    assert "Ada Example" in page.text
    assert "sandbox" not in page.text.replace("@sandbox.example", "").lower()


def test_the_request_for_consent_has_all_that_webex_wants(
    visitor: Visitor, login_server: Server
) -> None:
    url = visitor.begin()
    assert parameter(url, "client_id") == "sandbox-client"
    assert parameter(url, "response_type") == "code"
    assert parameter(url, "redirect_uri") == f"{login_server.url}/redirect"
    assert parameter(url, "scope") == "spark:all spark:kms"
    assert parameter(url, "code_challenge_method") == "S256"
    assert len(parameter(url, "state")) >= 20
    assert parameter(url, "state") != parameter(visitor.begin(), "state")


def test_neither_tokens_nor_the_verifier_are_in_the_cookie(visitor: Visitor) -> None:
    def cookie() -> str:
        return str(URLSafeSerializer("").loads_unsafe(visitor.cookies["flask_realtime"]))

    visitor.begin()
    assert "verifier" not in cookie()
    visitor.log_in()
    assert "token" not in cookie().replace("csrf_token", "")


def test_cookie_flags(visitor: Visitor) -> None:
    header = visitor.open("/login").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Secure" not in header  # http://localhost


def test_the_cookie_is_secure_where_users_come_by_https(
    start_server: Callable[..., Server], sandbox: Sandbox
) -> None:
    server = start_server(REDIRECT_URI="https://localhost/redirect")
    with Visitor(server, sandbox) as visitor:
        # The server itself speaks http here; a browser would come through a proxy.
        response = visitor.open("/login")
        assert response.headers["Location"].startswith("https://localhost/login")


def test_the_session_is_another_one_after_a_login(visitor: Visitor, login_server: Server) -> None:
    visitor.log_in()
    old = visitor.cookies["flask_realtime"]
    visitor.log_in()
    assert visitor.cookies["flask_realtime"] != old
    with requests.Session() as thief:
        thief.cookies.set("flask_realtime", old)
        response = thief.get(f"{login_server.url}/api/jobs", timeout=60)
    assert response.status_code == 401
    assert response.json()["code"] == "not_logged_in"


def test_by_another_name_of_the_machine_the_login_begins_at_the_right_one(
    visitor: Visitor, login_server: Server
) -> None:
    other = login_server.url.replace("localhost", "127.0.0.1")
    response = visitor.open(f"{other}/login?next=/runs/1")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{login_server.url}/login?next=/runs/1"


def test_a_user_sees_their_own_runs_only(
    visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    other = new_visitor()
    visitor.log_in("ada")
    other.log_in("ben")
    run = visitor.start_run("greet")
    visitor.ended(run)
    assert other.open(f"/api/runs/{run}").status_code == 404
    assert run not in [each["id"] for each in other.open("/api/runs").json()["runs"]]


def test_logging_out_revokes_forgets_and_ends_all_sessions(
    visitor: Visitor, new_visitor: Callable[[], Visitor], sandbox: Sandbox
) -> None:
    other = new_visitor()
    visitor.log_in("ada")
    other.log_in("ada")
    response = visitor.log_out()
    assert (response.status_code, response.headers["Location"]) == (303, "/logout")
    assert "You are logged out" in visitor.open("/logout").text
    assert visitor.user is None
    assert other.user is None
    eventually(lambda: revocations(sandbox) == 2)  # both tokens


def test_logging_out_needs_a_csrf_token(visitor: Visitor, login_server: Server) -> None:
    visitor.log_in()
    for data in ({}, {"csrf_token": "x"}):
        response = visitor.post(f"{login_server.url}/logout", data=data, timeout=60)
        assert response.status_code == 400
        assert "Load the page again" in response.text
    assert visitor.user is not None


def test_a_call_that_changes_something_needs_a_csrf_token(
    visitor: Visitor, login_server: Server
) -> None:
    visitor.log_in()
    url = f"{login_server.url}/api/runs"
    response = visitor.post(url, json={"job": "greet"}, timeout=60)
    assert response.status_code == 400
    assert response.json()["code"] == "csrf"
    assert visitor.open("/api/runs?job=greet&limit=1").status_code == 200


@pytest.mark.parametrize("stop", [True, False])
def test_logging_out_stops_runs_if_asked(visitor: Visitor, stop: bool) -> None:
    visitor.log_in("cora")
    run = visitor.start_run("until_stopped")
    eventually(lambda: visitor.run_record(run)["state"] == "running")
    visitor.log_out(**({"stop_runs": "1"} if stop else {}))
    visitor.log_in("cora")
    if stop:
        assert visitor.ended(run)["state"] == "stopped"
    else:
        assert visitor.run_record(run)["state"] == "running"
        visitor.stop_run(run)
        visitor.ended(run)


def test_a_restarted_server_still_knows_who_is_logged_in(
    start_server: Callable[..., Server], sandbox: Sandbox
) -> None:
    server = start_server()
    with Visitor(server, sandbox) as visitor:
        visitor.log_in()
        user = visitor.user
        server.restart()
        assert user is not None
        assert visitor.user == user
        run = visitor.start_run("list_spaces")
        assert visitor.ended(run)["state"] == "succeeded"


def test_fewer_rights_than_asked_for_are_told_on_the_page(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    sandbox.faults({"do": "fewer_scopes", "scope": "spark:all", "match": {}, "times": 1})
    visitor.log_in()
    assert "Webex granted less than was asked for: spark:kms is missing" in visitor.open("/").text


def revocations(sandbox: Sandbox) -> int:
    return sum(each["path"].endswith("/revoke") for each in sandbox.control()["log"])
