"""Tokens that expire while jobs run: renewed once, or the user reads why not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.logins import login_keys
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox

MANY = 20


def token_calls(sandbox: Sandbox) -> int:
    calls: int = sandbox.control()["token_calls"]
    return calls


def run_many(visitor: Visitor, **params: Any) -> list[str]:
    return [visitor.start_run("calls", **params) for _ in range(MANY)]


@pytest.mark.parametrize("mode", ["same", "rotate", "omit"])
def test_twenty_jobs_after_the_token_expired_renew_it_once(
    visitor: Visitor, sandbox: Sandbox, mode: str
) -> None:
    sandbox.settings(expires_in=3, refresh_mode=mode)
    visitor.log_in()
    assert token_calls(sandbox) == 1
    time.sleep(3.1)  # the token's life
    sandbox.settings(expires_in=3600, latency=0.05)
    for run in run_many(visitor):
        assert visitor.ended(run)["state"] == "succeeded"
        assert visitor.output(run) == "Ada Example, 1 times\n"
    assert token_calls(sandbox) == 2
    # And what came back is good for another renewal.
    sandbox.faults({"match": {"path": "/v1/people/me"}, "do": "expire_tokens", "times": 1})
    run = visitor.start_run("calls", times=3)
    assert visitor.ended(run)["state"] == "succeeded"
    assert token_calls(sandbox) == 3


def test_twenty_jobs_whose_token_is_refused_in_mid_run_renew_it_once(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    visitor.log_in()
    runs = run_many(visitor, times=40, pause_ms=50)
    sandbox.faults({"match": {}, "do": "expire_tokens", "times": 1})
    for run in runs:
        assert visitor.ended(run)["state"] == "succeeded", visitor.output(run)
    assert token_calls(sandbox) == 2


def test_a_slow_renewal_serves_all_who_wait(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.log_in()
    sandbox.faults(
        {"match": {}, "do": "expire_tokens", "times": 1},
        {"match": {"path": "/v1/access_token"}, "do": "delay", "seconds": 2, "times": 1},
    )
    for run in run_many(visitor):
        assert visitor.ended(run)["state"] == "succeeded", visitor.output(run)
    assert token_calls(sandbox) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_grant", "error_description": "The invented grant has ended."},
        {"message": "The invented grant has ended.", "trackingId": "INVENTED_2"},
    ],
    ids=["error", "message"],
)
def test_a_refused_renewal_ends_the_login(
    visitor: Visitor, sandbox: Sandbox, body: dict[str, str]
) -> None:
    visitor.log_in()
    run = visitor.start_run("list_spaces")
    assert visitor.ended(run)["state"] == "succeeded"
    sandbox.faults(
        {"match": {"path": "/v1/people/me"}, "do": "expire_tokens", "times": 1},
        {"match": {"path": "/v1/access_token"}, "do": "status", "status": 400, "body": body},
    )
    run = visitor.start_run("list_spaces")
    eventually(lambda: visitor.user is None)  # the page leads to the login
    sandbox.reset()
    visitor.log_in()
    assert visitor.ended(run)["state"] == "failed"
    output = visitor.output(run)
    assert "The invented grant has ended." in output
    assert "og in" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 503},
        {"do": "status", "status": 502, "content_type": "text/html"},
        {"do": "drop"},
        {"do": "status", "status": 401, "body": {"error": "invalid_client"}},
    ],
    ids=["503", "html", "drop", "invalid_client"],
)
def test_a_failed_renewal_leaves_the_login(
    visitor: Visitor, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    visitor.log_in()
    sandbox.faults(
        {"match": {"path": "/v1/people/me"}, "do": "expire_tokens", "times": 1},
        {"match": {"path": "/v1/access_token"}, **fault},
    )
    runs = [visitor.start_run("list_spaces") for _ in range(5)]
    for run in runs:
        assert visitor.ended(run)["state"] == "failed"
        assert "Traceback" not in visitor.output(run)
    assert visitor.user is not None
    assert token_calls(sandbox) <= 4  # those who wait do not ask again what just failed
    sandbox.reset()


def test_a_job_that_waits_for_a_renewal_stops_at_once(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.log_in()
    sandbox.faults(
        {"match": {"path": "/v1/people/me"}, "do": "expire_tokens", "times": 1},
        {"match": {"path": "/v1/access_token"}, "do": "hang", "times": 1},
    )
    run = visitor.start_run("list_spaces")
    eventually(lambda: token_calls(sandbox) == 2)
    began = time.monotonic()
    visitor.stop_run(run)
    assert visitor.ended(run)["state"] == "stopped"
    assert time.monotonic() - began < 8  # the renewal is given up after 10


def test_a_logout_in_mid_renewal_is_final(
    visitor: Visitor, sandbox: Sandbox, login_server: Server
) -> None:
    """The renewal that is under way does not bring the login back."""
    visitor.log_in("cora")
    user = visitor.user or ""
    run = visitor.start_run("calls", times=200, pause_ms=20)
    eventually(lambda: visitor.run_record(run)["state"] == "running")
    sandbox.faults(
        {"match": {"path": "/v1/access_token"}, "do": "delay", "seconds": 1, "times": 1},
        {"match": {"path": "/v1/people/me"}, "do": "expire_tokens", "times": 1},
    )
    eventually(lambda: token_calls(sandbox) == 2)
    visitor.log_out()
    assert visitor.user is None
    eventually(lambda: f"run {run} of calls: failed" in login_server.log)
    with login_server.redis_client() as client:
        assert user.encode() not in b"".join(login_keys(client))
    visitor.log_in("cora")
    assert "log in again" in visitor.output(run)


def test_after_a_logout_a_run_cannot_use_webex_any_more(
    visitor: Visitor, login_server: Server
) -> None:
    visitor.log_in("cora")
    run = visitor.start_run("calls", times=1000, pause_ms=20)
    eventually(lambda: visitor.run_record(run)["state"] == "running")
    visitor.log_out()
    eventually(lambda: f"run {run} of calls: failed" in login_server.log)
    visitor.log_in("cora")
    assert "you are logged out of Webex" in visitor.output(run)


def test_a_clock_that_is_wrong_only_costs_a_renewal(visitor: Visitor, sandbox: Sandbox) -> None:
    """The token is good for an hour by our clock, and for a moment by Webex's."""
    sandbox.settings(expires_in=3600)
    visitor.log_in()
    sandbox.faults({"match": {"path": "/v1/rooms"}, "do": "expire_tokens", "times": 1})
    run = visitor.start_run("list_spaces")
    assert visitor.ended(run)["state"] == "succeeded"
    assert "12 of 12 spaces" in visitor.output(run)
    assert token_calls(sandbox) == 2
