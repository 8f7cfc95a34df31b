"""Authorization, tokens and revocation, each error included."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.support.server import eventually
from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call

REDIRECT = "http://localhost:5000/redirect"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
CLIENT = ("sandbox-client", "sandbox-secret")


def authorize_url(sandbox: Sandbox, **changes: str | None) -> str:
    fields: dict[str, str | None] = {
        "client_id": CLIENT[0],
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "spark:people_read spark:rooms_read",
        "state": "the state & more",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return f"{sandbox.api_url}authorize?{urlencode(present)}"


def sent_back(location: str) -> dict[str, str]:
    """What the browser brings back."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def code(sandbox: Sandbox, **changes: str | None) -> str:
    return sent_back(sandbox.consent(authorize_url(sandbox, **changes)))["code"]


def token_call(sandbox: Sandbox, **fields: str | None) -> requests.Response:
    form = {"client_id": CLIENT[0], "client_secret": CLIENT[1], **fields}
    data = {name: value for name, value in form.items() if value is not None}
    return requests.post(f"{sandbox.api_url}access_token", data=data, timeout=10)


def redeem(sandbox: Sandbox, **changes: str | None) -> requests.Response:
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    if "code" not in fields:
        fields["code"] = code(sandbox)
    return token_call(sandbox, **fields)


def refresh(sandbox: Sandbox, token: str) -> requests.Response:
    return token_call(sandbox, grant_type="refresh_token", refresh_token=token)


def log_in(sandbox: Sandbox) -> dict[str, Any]:
    answer = redeem(sandbox)
    assert answer.status_code == 200, answer.text
    token: dict[str, Any] = answer.json()
    return token


def revoke(sandbox: Sandbox, token: str, auth: tuple[str, str] = CLIENT) -> requests.Response:
    data = {"token": token, "token_type_hint": "refresh_token"}
    url = f"{sandbox.url}/idb/oauth2/v1/revoke"
    return requests.post(url, data=data, auth=auth, timeout=10)


def test_a_user_grants_access(sandbox: Sandbox, call: Call) -> None:
    location = sandbox.consent(authorize_url(sandbox), user="ben")
    assert location.startswith(f"{REDIRECT}?")
    back = sent_back(location)
    assert back["state"] == "the state & more"
    answer = redeem(sandbox, code=back["code"])
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["scope"] == "spark:people_read spark:rooms_read"
    assert (token["expires_in"], token["refresh_token_expires_in"]) == (1209599, 7775999)
    assert call("GET", "people/me", token=token["access_token"]).json()["nickName"] == "Ben"


def test_a_query_of_the_redirect_uri_is_kept(sandbox: Sandbox) -> None:
    location = sandbox.consent(authorize_url(sandbox, redirect_uri=f"{REDIRECT}?a=1"))
    assert sent_back(location)["a"] == "1"


def test_a_user_denies_access(sandbox: Sandbox) -> None:
    back = sent_back(sandbox.consent(authorize_url(sandbox), decision="deny"))
    assert (back["error"], back["state"]) == ("access_denied", "the state & more")
    assert "code" not in back


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "spark:rooms_read nonsense"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_sent_back(
    sandbox: Sandbox, changes: dict[str, str | None], error: str
) -> None:
    answer = requests.get(authorize_url(sandbox, **changes), allow_redirects=False, timeout=5)
    assert answer.status_code == 302
    back = sent_back(answer.headers["Location"])
    assert (back["error"], back["state"]) == (error, "the state & more")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.test/redirect"},
        {"redirect_uri": "http://localhost.evil.test/"},
        {"redirect_uri": "http://localhost:5000@evil.test/"},
        {"redirect_uri": "http://localhost:5000/#fragment"},
        {"redirect_uri": "http://localhost:5000/\r\nX-Header: 1"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_the_browser_is_sent_to_nobody_unknown(
    sandbox: Sandbox, changes: dict[str, str | None]
) -> None:
    answer = requests.get(authorize_url(sandbox, **changes), allow_redirects=False, timeout=5)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Webex sandbox" in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:5000"])
def test_any_place_on_this_machine_may_be_the_redirect_uri(sandbox: Sandbox, host: str) -> None:
    uri = f"http://{host}/redirect"
    assert sandbox.consent(authorize_url(sandbox, redirect_uri=uri)).startswith(f"{uri}?code=")


def test_client_and_redirect_uris_can_be_chosen() -> None:
    with Sandbox(
        client_id="mine", client_secret="own", redirect_uri="https://flask.example/redirect"
    ) as sandbox:
        wanted = {"client_id": "mine", "redirect_uri": "https://flask.example/redirect"}
        found = code(sandbox, **wanted)
        refused = requests.get(authorize_url(sandbox, client_id="mine"), timeout=5)
        assert refused.status_code == 400
        answer = redeem(sandbox, code=found, client_secret="own", **wanted)
        assert answer.status_code == 200


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
    assert requests.post(url, json={"client_id": CLIENT[0]}, timeout=5).status_code == 415
    assert requests.get(url, timeout=5).status_code == 405


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
    sandbox.settings(expires_in=1)
    token = log_in(sandbox)["access_token"]
    assert call("GET", "people/me", token=token).status_code == 200
    eventually(lambda: call("GET", "people/me", token=token).status_code == 401, 5)


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
    sandbox.faults({"do": "delay", "seconds": 0.5, "match": {"path": "/v1/access_token"}})
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


@pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "server_error"])
def test_an_error_from_the_consent_page_can_be_ordered(sandbox: Sandbox, error: str) -> None:
    sandbox.faults({"do": "authorize_error", "error": error, "times": 1})
    answer = requests.get(authorize_url(sandbox), allow_redirects=False, timeout=5)
    back = sent_back(answer.headers["Location"])
    assert (back["error"], back["state"]) == (error, "the state & more")
    assert "code" in sent_back(sandbox.consent(authorize_url(sandbox)))


def test_a_changed_state_can_be_ordered(sandbox: Sandbox) -> None:
    sandbox.faults({"do": "wrong_state", "times": 1})
    back = sent_back(sandbox.consent(authorize_url(sandbox)))
    assert back["state"] != "the state & more"
    assert back["code"]


def test_fewer_scopes_can_be_granted(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults({"do": "fewer_scopes", "scope": "spark:people_read", "times": 1})
    token = log_in(sandbox)
    assert token["scope"] == "spark:people_read"
    assert call("GET", "people/me", token=token["access_token"]).status_code == 200
    refused = call("GET", "rooms", token=token["access_token"])
    assert refused.status_code == 403
    assert "spark:rooms_read" in refused.json()["message"]


def test_a_reset_ends_all_grants(sandbox: Sandbox, call: Call) -> None:
    token = log_in(sandbox)
    sandbox.reset()
    assert call("GET", "people/me", token=token["access_token"]).status_code == 401
    assert refresh(sandbox, token["refresh_token"]).status_code == 400
