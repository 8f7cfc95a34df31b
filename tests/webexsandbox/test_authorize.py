"""Authorization: what brings the browser back, with what, and what keeps it here."""

from __future__ import annotations

import pytest
import requests

from tests.support.webexsandbox import Sandbox
from tests.webexsandbox.conftest import Call
from tests.webexsandbox.oauthclient import REDIRECT, authorize_url, code, log_in, redeem, sent_back


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
    answer = requests.get(authorize_url(sandbox, **changes), allow_redirects=False, timeout=60)
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
    answer = requests.get(authorize_url(sandbox, **changes), allow_redirects=False, timeout=60)
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
        refused = requests.get(authorize_url(sandbox, client_id="mine"), timeout=60)
        assert refused.status_code == 400
        answer = redeem(sandbox, code=found, client_secret="own", **wanted)
        assert answer.status_code == 200


@pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "server_error"])
def test_an_error_from_the_consent_page_can_be_ordered(sandbox: Sandbox, error: str) -> None:
    sandbox.faults({"do": "authorize_error", "error": error, "times": 1})
    answer = requests.get(authorize_url(sandbox), allow_redirects=False, timeout=60)
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
