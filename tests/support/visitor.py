"""Somebody with a browser, as far as HTTP goes: cookies, consent at the sandbox, CSRF tokens."""

from __future__ import annotations

import re
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import requests

from tests.support.patience import eventually
from tests.support.webexsandbox import Sandbox


class Site(Protocol):
    """What has an address: a server, or nginx before some."""

    @property
    def url(self) -> str: ...


class Visitor(requests.Session):
    """Visits `server`, whose users log in at `sandbox`. Redirects are followed only on request."""

    def __init__(self, server: Site, sandbox: Sandbox) -> None:
        super().__init__()
        self._server = server
        self._sandbox = sandbox

    def __enter__(self) -> Visitor:
        return self

    def open(self, path: str, **options: Any) -> requests.Response:
        """Get a path of the server, or a whole address."""
        url = path if "://" in path else self._server.url + path
        return self.get(url, **{"allow_redirects": False, "timeout": 40, **options})

    def begin(self, path: str = "/login") -> str:
        """Begin a login; return the address at Webex that the browser is sent to."""
        response = self.open(path)
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def come_back(self, user: str = "ada", path: str = "/login") -> str:
        """Begin a login and consent; return the address that Webex sends the browser back to."""
        return self._sandbox.consent(self.begin(path), user=user)

    def log_in(self, user: str = "ada", path: str = "/login") -> requests.Response:
        """Log in; return the answer to Webex's redirect."""
        response = self.open(self.come_back(user, path))
        assert response.status_code == 302, response.text
        return response

    @property
    def user(self) -> str | None:
        """Who the main page is for; None when it sends to the login."""
        page = self.open("/")
        found = re.search('data-user="([^"]*)"', page.text)
        return found[1] if found else None

    def csrf_token(self) -> str:
        found = re.search('name="csrf_token" value="([^"]+)"', self.open("/logout").text)
        assert found
        return found[1]

    def log_out(self, **fields: str) -> requests.Response:
        data = {"csrf_token": self.csrf_token(), **fields}
        return self.post(f"{self._server.url}/logout", data=data, allow_redirects=False, timeout=60)

    def start_run(self, job: str, **params: object) -> str:
        """Start a job by the API; return the run's id."""
        response = self.post(
            f"{self._server.url}/api/runs",
            json={"job": job, "params": params},
            headers={"X-CSRF-Token": self.csrf_token()},
            timeout=60,
        )
        assert response.status_code == 201, response.text
        run: str = response.json()["id"]
        return run

    def stop_run(self, run: str) -> None:
        response = self.post(
            f"{self._server.url}/api/runs/{run}/stop",
            json={},
            headers={"X-CSRF-Token": self.csrf_token()},
            timeout=60,
        )
        assert response.status_code == 200, response.text

    def run_record(self, run: str) -> dict[str, Any]:
        record: dict[str, Any] = self.open(f"/api/runs/{run}").json()
        return record

    def ended(self, run: str, seconds: float = 30) -> dict[str, Any]:
        def final() -> dict[str, Any] | None:
            record = self.run_record(run)
            return record if record.get("ended") else None

        record = eventually(final, seconds)
        assert record is not None
        return record

    def output(self, run: str) -> str:
        return self.open(f"/api/runs/{run}/output").text


def parameter(url: str, name: str) -> str:
    """A parameter of an address's query."""
    return parse_qs(urlsplit(url).query)[name][0]
