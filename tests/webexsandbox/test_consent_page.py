"""The page on which a user grants access."""

from __future__ import annotations

import html.parser
from urllib.parse import urlencode, urljoin

import pytest
import requests

from tests.support.webexsandbox import Sandbox

HOSTILE = '"><script>alert(1)</script>'


class Page(html.parser.HTMLParser):
    """Collects a page's tags and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.tags if each == tag]


def ask(sandbox: Sandbox, **changes: str) -> requests.Response:
    fields = {
        "client_id": "sandbox-client",
        "response_type": "code",
        "redirect_uri": "http://localhost:5000/redirect",
        "scope": "spark:people_read spark:rooms_read",
        "state": "x",
        **changes,
    }
    return requests.get(f"{sandbox.api_url}authorize?{urlencode(fields)}", timeout=60)


def test_it_says_what_it_is_and_offers_users_and_buttons(sandbox: Sandbox) -> None:
    answer = ask(sandbox)
    assert answer.status_code == 200
    assert "Webex sandbox" in answer.text
    assert "not Webex" in answer.text
    page = Page(answer.text)
    fields = page.named("input")
    users = [each["value"] for each in fields if each["type"] == "radio"]
    assert users[:3] == ["ada", "ben", "cora"]
    assert [each["value"] for each in page.named("button")] == ["grant", "deny"]
    assert "spark:rooms_read" in answer.text


def test_its_form_gives_a_code(sandbox: Sandbox) -> None:
    page = Page(ask(sandbox, state="a & b").text)
    (form,) = page.named("form")
    fields = {each["name"]: each["value"] for each in page.named("input") if each["name"] != "user"}
    fields |= {"user": "ben", "decision": "grant"}
    assert form["method"] == "post"
    answer = requests.post(
        urljoin(f"{sandbox.api_url}authorize", form["action"]),
        data=fields,
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("http://localhost:5000/redirect?code=")
    assert answer.headers["Location"].endswith("&state=a+%26+b")


def test_its_policy_is_strict_and_lets_the_browser_go_back(sandbox: Sandbox) -> None:
    answer = ask(sandbox)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert policy.endswith("form-action 'self' http://localhost:5000")
    page = Page(answer.text)
    assert not page.named("script")
    assert not page.named("style")
    assert not [name for _, each in page.tags for name in each if name.startswith(("on", "style"))]
    (link,) = page.named("link")
    style = requests.get(urljoin(answer.url, link["href"]), timeout=60)
    assert style.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text


@pytest.mark.parametrize("name", ["state", "redirect_uri"])
def test_what_a_client_sends_is_never_markup(sandbox: Sandbox, name: str) -> None:
    value = HOSTILE if name == "state" else f"http://localhost:5000/{HOSTILE}"
    answer = ask(sandbox, **{name: value})
    page = Page(answer.text)
    assert not page.named("script")
    assert [each["value"] for each in page.named("input") if each["name"] == name] == [value]


def test_a_login_that_cannot_go_on_says_why(sandbox: Sandbox) -> None:
    answer = ask(sandbox, client_id=HOSTILE)
    assert answer.status_code == 400
    assert "client_id is not known" in answer.text
    assert not Page(answer.text).named("script")
