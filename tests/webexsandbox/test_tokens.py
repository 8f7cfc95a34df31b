"""Tokens: issued, refreshed, expired and revoked, each error included."""

from __future__ import annotations

import concurrent.futures

import pytest
import requests

from tests.support.patience import eventually
from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call
from tests.webexsandbox.oauthclient import CLIENT, code, log_in, redeem, refresh, revoke


def test_a_code_is_used_once(sandbox: Sandbox) -> None:
    found = code(sandbox)
    assert redeem(sandbox, code=found).status_code == 200
    answer = redeem(sandbox, code=found)
    assert answer.status_code == 400
    assert "used already" in answer.json()["message"]


def test_a_failed_attempt_uses_the_code_up(sandbox: Sandbox) -> None:
    found = code(sandbox)
    assert redeem(sandbox, code=found, code_verifier="w" * 64).status_code == 400
    assert redeem(sandbox, code=found).status_code == 400


def test_a_code_expires(sandbox: Sandbox) -> None:
    sandbox.settings(code_seconds=0)
    answer = redeem(sandbox)
    assert answer.status_code == 400
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code": "unknown"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://localhost:5000/other"}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_grant"),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_request_is_refused_in_both_shapes(
    sandbox: Sandbox, changes: dict[str, str | None], status: int, error: str
) -> None:
    answer = redeem(sandbox, **changes)
    assert answer.status_code == status
    assert set(answer.json()) == {"message", "errors", "trackingId"}
    sandbox.settings(error_shape="error")
    answer = redeem(sandbox, **changes)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_without_pkce_no_verifier_is_needed(sandbox: Sandbox) -> None:
    found = code(sandbox, code_challenge=None, code_challenge_method=None)
    assert redeem(sandbox, code=found, code_verifier=None).status_code == 200


def test_the_token_endpoint_takes_forms_only(sandbox: Sandbox) -> None:
    url = f"{sandbox.api_url}access_token"
    assert requests.post(url, json={"client_id": CLIENT[0]}, timeout=60).status_code == 415
    assert requests.get(url, timeout=60).status_code == 405


@pytest.mark.parametrize("mode", ["same", "rotate", "omit"])
def test_refreshing(sandbox: Sandbox, call: Call, mode: str) -> None:
    token = log_in(sandbox)
    sandbox.settings(refresh_mode=mode)
    old = token["refresh_token"]
    answer = refresh(sandbox, old).json()
    assert answer["access_token"] != token["access_token"]
    assert call("GET", "people/me", token=answer["access_token"]).status_code == 200
    new = answer.get("refresh_token")
    assert {"same": new == old, "rotate": new not in (old, None), "omit": new is None}[mode]
    assert ("refresh_token_expires_in" in answer) == (mode != "omit")
    assert refresh(sandbox, old).status_code == (400 if mode == "rotate" else 200)
    assert refresh(sandbox, new or old).status_code == 200


def test_how_one_refresh_goes_can_be_ordered(sandbox: Sandbox) -> None:
    token = log_in(sandbox)
    sandbox.faults(
        {"do": "refresh_token", "mode": "omit", "times": 1},
        {"do": "expires_in", "seconds": 17, "times": 1},
    )
    first = refresh(sandbox, token["refresh_token"]).json()
    assert "refresh_token" not in first
    assert first["expires_in"] == 17
    second = refresh(sandbox, token["refresh_token"]).json()
    assert second["refresh_token"] == token["refresh_token"]
    assert second["expires_in"] == 1209599


def test_access_tokens_expire(sandbox: Sandbox, call: Call) -> None:
    lasting = log_in(sandbox)["access_token"]
    sandbox.settings(expires_in=1)
    brief = log_in(sandbox)["access_token"]
    eventually(lambda: call("GET", "people/me", token=brief).status_code == 401)
    assert call("GET", "people/me", token=lasting).status_code == 200


def test_all_tokens_expire_in_the_middle_of_a_run(sandbox: Sandbox, call: Call) -> None:
    token = log_in(sandbox)
    sandbox.faults(
        {"do": "expire_tokens", "match": {"path": "/v1/people/me"}, "after": 1, "times": 1}
    )
    found = [call("GET", "people/me", token=token["access_token"]).status_code for _ in range(3)]
    assert found == [200, 401, 401]
    assert call("GET", "people/me").status_code == 200  # the personal token goes on
    fresh = refresh(sandbox, token["refresh_token"]).json()["access_token"]
    assert call("GET", "people/me", token=fresh).status_code == 200


def test_a_slow_refresh_has_its_waiters_counted(sandbox: Sandbox) -> None:
    token = log_in(sandbox)["refresh_token"]
    before = sandbox.control()["token_calls"]
    sandbox.faults({"do": "delay", "seconds": 1.5, "match": {"path": "/v1/access_token"}})
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(sandbox, token), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    shown = sandbox.control()
    assert shown["token_calls"] - before == 20
    assert shown["most_in_flight"] == 20
    assert shown["log"][-1]["user"] == "ada"


def test_the_token_endpoint_hangs_or_fails(sandbox: Sandbox) -> None:
    match = {"path": "/v1/access_token"}
    sandbox.faults({"do": "status", "status": 502, "body": "<h1>no</h1>", "match": match})
    assert redeem(sandbox).text == "<h1>no</h1>"
    sandbox.reset()
    sandbox.faults({"do": "hang", "match": match})
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{sandbox.api_url}access_token", data={}, timeout=0.3)


def test_a_revoked_refresh_token_takes_its_access_tokens_along(
    sandbox: Sandbox, call: Call
) -> None:
    token = log_in(sandbox)
    other = log_in(sandbox)
    assert revoke(sandbox, token["refresh_token"]).status_code == 200
    assert call("GET", "people/me", token=token["access_token"]).status_code == 401
    assert refresh(sandbox, token["refresh_token"]).json()["message"].startswith("The refresh")
    sandbox.settings(error_shape="error")
    assert refresh(sandbox, token["refresh_token"]).json()["error"] == "invalid_grant"
    assert call("GET", "people/me", token=other["access_token"]).status_code == 200


def test_an_access_token_can_be_revoked_alone(sandbox: Sandbox, call: Call) -> None:
    token = log_in(sandbox)
    assert revoke(sandbox, token["access_token"]).status_code == 200
    assert call("GET", "people/me", token=token["access_token"]).status_code == 401
    assert refresh(sandbox, token["refresh_token"]).status_code == 200
    assert revoke(sandbox, "unknown").status_code == 200  # RFC 7009, section 2.2


def test_revocation_needs_the_client(sandbox: Sandbox, call: Call) -> None:
    token = log_in(sandbox)
    refused = revoke(sandbox, token["refresh_token"], auth=("sandbox-client", "wrong"))
    assert refused.status_code == 401
    assert revoke(sandbox, "").status_code == 400
    assert call("GET", "people/me", token=token["access_token"]).status_code == 200


def test_a_reset_ends_all_grants(sandbox: Sandbox, call: Call) -> None:
    token = log_in(sandbox)
    sandbox.reset()
    assert call("GET", "people/me", token=token["access_token"]).status_code == 401
    assert refresh(sandbox, token["refresh_token"]).status_code == 400
