"""What of the server's environment an app server gets to see."""

from __future__ import annotations

import os
import sys

import pytest

from flask_realtime import ConfigurationError
from flask_realtime.childenviron import PASSED, child_environ
from flask_realtime.proxy import Supervisor
from tests.proxy.support import Site
from tests.support.loggedprocess import ROOT

SECRETS = {
    "CLIENT_SECRET": "s3cret",
    "REDIS_URL": "redis://:s3cret@redis/0",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "GITHUB_TOKEN": "s3cret",
    "FLASK_SECRET_KEY": "s3cret",
}
HARMLESS = {
    "LC_TIME": "de_DE.UTF-8",
    "TZ": "Europe/Berlin",
    "no_proxy": "localhost",
    "PYTHONUTF8": "1",
}


def seen(site: Site, monkeypatch: pytest.MonkeyPatch, **options: object) -> dict[str, str]:
    """The environment of an app server whose parent has secrets in its own."""
    for name, value in (SECRETS | HARMLESS).items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "tests/proxy/appserver.py", "{socket}"]
    site.parent({"prefix": "/app", "child": {"command": command, **options}})
    found: dict[str, str] = site.get("/app/environ").json()
    return found


def test_secrets_stay_with_the_server(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(site, monkeypatch)
    assert "s3cret" not in " ".join(found.values())
    assert HARMLESS.items() <= found.items()
    assert (found["PATH"], found["HOME"]) == (os.environ["PATH"], os.environ["HOME"])


def test_what_is_named_is_passed_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(
        site, monkeypatch, inherit=["REDIS_URL", "AWS_*"], environ={"TZ": "UTC", "OWN": "1"}
    )
    assert found["REDIS_URL"] == SECRETS["REDIS_URL"]
    assert found["AWS_SECRET_ACCESS_KEY"] == "s3cret"
    assert not {"CLIENT_SECRET", "GITHUB_TOKEN"} & set(found)
    assert (found["TZ"], found["OWN"]) == ("UTC", "1")


def test_a_star_passes_all() -> None:
    assert SECRETS.items() <= child_environ(SECRETS, ["*"], {}).items()
    assert child_environ(SECRETS, ["client_*"], {}) == {"PYTHONUNBUFFERED": "1"}


def test_what_is_no_list_or_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no list of names"):
        Supervisor(["x"], inherit="HOME")
    with pytest.raises(ConfigurationError, match="PORT is 80, which is no text"):
        Supervisor(["x"], environ={"PORT": 80})  # type: ignore[dict-item]


def test_the_page_about_it_names_what_is_passed() -> None:
    text = (ROOT / "docs" / "embedding.md").read_text("utf-8")
    for name in PASSED:
        assert f"`{name}`" in text or name.lower().endswith("_proxy"), name
