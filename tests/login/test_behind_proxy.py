"""The login where a reverse proxy serves the application below a path of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import requests

from tests.support.server import Server
from tests.support.visitor import parameter
from tests.support.webexsandbox import Sandbox


def test_a_login_below_a_prefix(start_server: Callable[..., Server], sandbox: Sandbox) -> None:
    forwarded = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "localhost:8443",
        "X-Forwarded-Prefix": "/realtime",
    }
    server = start_server(
        TRUSTED_PROXIES="127.0.0.1,::1", REDIRECT_URI="http://localhost:8443/realtime/redirect"
    )
    with requests.Session() as browser:
        browser.headers.update(forwarded)

        def get(path: str) -> requests.Response:
            """As the proxy asks: without the prefix."""
            path = path.removeprefix("http://localhost:8443").removeprefix("/realtime")
            return browser.get(server.url + path, allow_redirects=False, timeout=60)

        sent = get("/realtime/runs/x").headers["Location"]
        assert sent == "/realtime/login?next=/realtime/runs/x"
        webex = get(sent).headers["Location"]
        assert parameter(webex, "redirect_uri") == "http://localhost:8443/realtime/redirect"
        back = get(sandbox.consent(webex))
        assert (back.status_code, back.headers["Location"]) == (302, "/realtime/runs/x")
        page = get("/realtime/").text
        assert 'data-socket-path="/realtime/socket.io"' in page
        assert 'data-api-base="/realtime/api"' in page
        for address in re.findall(r'(?:href|src)="([^"]+)"', page):
            assert address.startswith("/realtime/")
            assert get(address).status_code == 200
        assert get("/realtime/api/jobs").status_code == 200
