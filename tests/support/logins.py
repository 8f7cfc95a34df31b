"""Servers whose users log in at the sandbox, and what their Redis holds of logins."""

from __future__ import annotations

import socket
from typing import Any

from redis import Redis

from tests.support.loggedprocess import ROOT
from tests.support.server import Server
from tests.support.webexsandbox import Sandbox


def integration(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """The settings of a server with an integration of its own, on a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "LOGIN": "webex",
        "PORT": str(port),
        "CLIENT_ID": "sandbox-client",
        "CLIENT_SECRET": "sandbox-secret",
        "REDIRECT_URI": f"http://localhost:{port}/redirect",
        "WEBEX_AUTHORIZE_URL": f"{sandbox.url}/v1/authorize",
        "WEBEX_ACCESS_TOKEN_URL": f"{sandbox.url}/v1/access_token",
        "WEBEX_REVOKE_URL": f"{sandbox.url}/idb/oauth2/v1/revoke",
        "WEBEX_API_BASE_URL": sandbox.api_url,
        "MAX_RUNS": "30",
        "JOBS_PATH": str(ROOT / "tests" / "programs" / "loginjobs"),
        "LOG_LEVEL": "debug",
        **more,
    }


def nothing_is_stored(server: Server) -> bool:
    """No tokens and no sessions are in the server's Redis."""
    with server.redis_client() as client:
        return not login_keys(client)


def login_keys(client: Redis) -> list[Any]:
    return [*client.scan_iter("*:tokens:*"), *client.scan_iter("*:session*")]
