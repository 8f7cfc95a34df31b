"""Logins that go wrong: the user reads what happened and what to do, and nothing is stored half."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.support.logins import login_keys, nothing_is_stored
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor, parameter
from tests.support.webexsandbox import Sandbox

TOKENS = "/v1/access_token"


def token_fault(do: str, **more: Any) -> dict[str, Any]:
    return {"match": {"path": TOKENS}, "do": do, **more}


@pytest.fixture
def clean(login_server: Server, visitor: Visitor) -> Visitor:
    """A visitor of a server on which nobody is logged in."""
    with login_server.redis_client() as client:
        if keys := login_keys(client):
            client.delete(*keys)
    return visitor


def test_consent_denied(clean: Visitor, sandbox: Sandbox, login_server: Server) -> None:
    back = sandbox.consent(clean.begin("/login?next=/runs/x"), decision="deny")
    response = clean.open(back)
    assert response.status_code == 403
    assert "You did not grant access" in response.text
    assert "/login?next=/runs/x" in response.text
    assert clean.user is None
    assert clean.open(back).status_code == 400  # the state is used up


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("invalid_scope", "set SCOPE to what the integration"),
        ("server_error", "could not log you in just now"),
    ],
)
def test_webex_sends_the_user_back_with_an_error(
    clean: Visitor, sandbox: Sandbox, error: str, said: str
) -> None:
    sandbox.faults({"match": {}, "do": "authorize_error", "error": error, "times": 1})
    response = clean.open(clean.come_back())
    assert response.status_code == 502
    assert said in response.text


def test_an_error_of_a_stranger_is_text(clean: Visitor, login_server: Server) -> None:
    state = parameter(clean.begin(), "state")
    response = clean.open(f"/redirect?state={state}&error={quote('<script>x</script>')}")
    assert response.status_code == 502
    assert "<script>x" not in response.text
    assert "&lt;script&gt;x" in response.text


@pytest.mark.parametrize(
    "query",
    ["", "?state=unknown&code=x", "?state=unknown&error=access_denied&error_description=Call+0123"],
)
def test_an_unknown_state_is_ignored(clean: Visitor, query: str) -> None:
    response = clean.open(f"/redirect{query}")
    assert response.status_code == 400
    assert "This login cannot be completed" in response.text
    assert "Call" not in response.text


def test_a_changed_state(clean: Visitor, sandbox: Sandbox) -> None:
    sandbox.faults({"match": {}, "do": "wrong_state", "times": 1})
    assert clean.open(clean.come_back()).status_code == 400
    assert sandbox.control()["token_calls"] == 0


def test_a_state_is_of_use_once(clean: Visitor, sandbox: Sandbox) -> None:
    back = clean.come_back()
    assert clean.open(back).status_code == 302
    assert clean.open(back).status_code == 400
    assert sandbox.control()["token_calls"] == 1
    assert clean.user is not None  # and does no harm to who is logged in


def test_a_state_is_of_no_use_in_another_browser(
    clean: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    thief = new_visitor()
    thief.begin()
    assert thief.open(clean.come_back()).status_code == 400
    assert thief.user is None


def test_a_code_that_was_used_already(clean: Visitor, sandbox: Sandbox) -> None:
    first, second = clean.come_back(), clean.come_back()
    code = parameter(first, "code")
    assert clean.open(first).status_code == 302
    response = clean.open(second.replace(parameter(second, "code"), code))
    assert response.status_code == 403
    assert "Webex did not complete the login" in response.text


def test_pkce_mismatch(clean: Visitor) -> None:
    """The code of one login with the verifier of another one."""
    first, second = clean.come_back(), clean.come_back()
    swapped = second.replace(parameter(second, "code"), parameter(first, "code"))
    response = clean.open(swapped)
    assert response.status_code == 403
    assert "Log in again" in response.text
    assert clean.user is None


@pytest.mark.parametrize("shape", ["error", "message"])
def test_a_wrong_client_secret_is_the_operators_to_mend(
    start_server: Callable[..., Server], sandbox: Sandbox, shape: str
) -> None:
    sandbox.settings(error_shape=shape)
    server = start_server(CLIENT_SECRET="not-the-secret")
    with Visitor(server, sandbox) as visitor:
        response = visitor.open(visitor.come_back())
        assert response.status_code == 502
        assert "check CLIENT_ID and CLIENT_SECRET" in response.text.replace("\n", " ")
        assert nothing_is_stored(server)
    assert "not-the-secret" not in server.log


@pytest.mark.parametrize("shape", ["error", "message"])
@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_of_the_token_endpoint_in_either_shape(
    clean: Visitor, sandbox: Sandbox, login_server: Server, shape: str, status: int
) -> None:
    body = (
        {"error": "invalid_grant", "error_description": "Invented <b>refusal</b>."}
        if shape == "error"
        else {"message": "Invented <b>refusal</b>.", "trackingId": "INVENTED_1"}
    )
    sandbox.faults(token_fault("status", status=status, body=body, times=1))
    response = clean.open(clean.come_back())
    assert response.status_code == 403
    assert "Invented &lt;b&gt;refusal&lt;/b&gt;." in response.text
    assert nothing_is_stored(login_server)


@pytest.mark.parametrize(
    "fault",
    [
        token_fault("status", status=503),
        token_fault("status", status=502, content_type="text/html"),
        token_fault("status", status=200, content_type="text/html", body="<h1>Welcome</h1>"),
        token_fault("status", status=200, body={"error": "no", "access_token": ""}),
        token_fault("status", status=200, body={"expires_in": 5}),
        token_fault("status", status=200, body={"access_token": "with\nline-end"}),
        token_fault("status", status=302, headers={"Location": "http://127.0.0.1:1/"}),
        token_fault("status", status=429, headers={"Retry-After": "3600"}),
        token_fault("drop"),
        token_fault("drop", when="body"),
        token_fault("truncate"),
    ],
    ids=lambda fault: "-".join(str(value)[:30] for key, value in fault.items() if key != "match"),
)
def test_an_answer_that_is_no_token(
    clean: Visitor, sandbox: Sandbox, login_server: Server, fault: dict[str, Any]
) -> None:
    sandbox.faults({**fault, "times": 1})
    response = clean.open(clean.come_back())
    assert response.status_code == 503
    assert "try again in a moment" in response.text
    assert nothing_is_stored(login_server)
    clean.log_in()


def test_a_token_endpoint_that_hangs_holds_up_nobody(
    clean: Visitor, sandbox: Sandbox, login_server: Server
) -> None:
    sandbox.faults(token_fault("hang", times=1))
    back = clean.come_back()
    longest = 0.0
    with pytest.raises(requests.Timeout):
        clean.open(back, timeout=1)
    for _ in range(20):
        began = time.monotonic()
        assert login_server.get("/healthz").status_code == 200
        longest = max(longest, time.monotonic() - began)
    assert longest < 5  # the request for tokens is given up after 10
    assert eventually(lambda: "Webex's login service failed: ReadTimeout" in login_server.log)
    assert nothing_is_stored(login_server)


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "status", "status": 503},
        {"do": "status", "status": 403},
        {"do": "truncate"},
        {"do": "status", "status": 200, "content_type": "text/html", "body": "<h1>x</h1>"},
    ],
    ids=lambda fault: fault["do"] + str(fault.get("status", "")),
)
def test_webex_does_not_say_who_it_is(
    clean: Visitor, sandbox: Sandbox, login_server: Server, fault: dict[str, Any]
) -> None:
    sandbox.faults({"match": {"path": "/v1/people/me"}, **fault})
    response = clean.open(clean.come_back())
    assert response.status_code in (502, 503)
    assert "You are not logged in" in response.text
    assert nothing_is_stored(login_server)
    # The tokens that nobody will use are revoked.
    eventually(lambda: sum("/revoke" in each["path"] for each in sandbox.control()["log"]) >= 2)


@pytest.mark.parametrize(
    "next_path",
    [
        "//evil.test/",
        "/\\evil.test/",
        "\\\\evil.test/",
        "https://evil.test/",
        "javascript:alert(1)",
        "/\t/evil.test/",
        "/\n/evil.test",
        " //evil.test",
        "evil",
        "/" + "x" * 3000,
    ],
)
def test_a_login_leads_to_paths_of_this_server_only(visitor: Visitor, next_path: str) -> None:
    back = visitor.log_in(path=f"/login?next={quote(next_path, safe='')}")
    assert back.headers["Location"] == "/"


@pytest.mark.parametrize("change", ["flip", "cut", "foreign"])
def test_a_tampered_cookie_is_nobody(visitor: Visitor, login_server: Server, change: str) -> None:
    visitor.log_in()
    value = visitor.cookies["flask_realtime"]
    changed = {
        "flip": value[:5] + ("A" if value[5] != "A" else "B") + value[6:],
        "cut": value[:-3],
        "foreign": "eyJpZCI6ImludmVudGVkIn0.aSAAAA.invented-signature",
    }[change]
    with requests.Session() as thief:
        thief.cookies.set("flask_realtime", changed)
        assert thief.get(f"{login_server.url}/api/runs", timeout=60).status_code == 401


def test_two_logins_in_two_tabs(visitor: Visitor) -> None:
    first, second = visitor.come_back("ada"), visitor.come_back("ben")
    assert visitor.open(first).status_code == 302
    assert "Ada Example" in visitor.open("/").text
    assert visitor.open(second).status_code == 302
    assert "Ben Example" in visitor.open("/").text


def test_many_logins_that_nobody_completes_do_not_fill_the_cookie(visitor: Visitor) -> None:
    for _ in range(40):
        visitor.begin()
    assert len(visitor.cookies["flask_realtime"]) < 2000
    visitor.log_in()


def test_no_token_is_in_the_log_of_the_server(visitor: Visitor, login_server: Server) -> None:
    visitor.log_in()
    run = visitor.start_run("leaks")
    record = visitor.ended(run)
    output = visitor.output(run)
    assert output.startswith("Authorization: Bearer ***\n")
    assert "LookupError: ***" in output
    assert record["exit"]["reason"] == "LookupError: ***"
    for text in (login_server.log, output, str(record)):
        assert "sandbox-secret" not in text
        assert "code_verifier" not in text
        assert "Bearer s" not in text
