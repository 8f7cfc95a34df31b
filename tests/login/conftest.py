"""A server that is configured for Webex, which the sandbox stands in for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server
from tests.support.visitor import Visitor
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


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(spaces=12, messages=30) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.reset()


@pytest.fixture(scope="session")
def login_server(
    tmp_path_factory: pytest.TempPathFactory, shared_sandbox: Sandbox
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("login")
    with Server(folder, **integration(shared_sandbox)) as running:
        yield running


@pytest.fixture
def start_server(tmp_path: Path, sandbox: Sandbox) -> Iterator[Callable[..., Server]]:
    """Starts a server of one test's own, with more settings."""
    started: list[Server] = []

    def start(**more: str) -> Server:
        server = Server(tmp_path, **integration(sandbox, **more))
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def new_visitor(login_server: Server, sandbox: Sandbox) -> Iterator[Callable[[], Visitor]]:
    """Makes browsers."""
    visitors: list[Visitor] = []

    def make() -> Visitor:
        visitors.append(Visitor(login_server, sandbox))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    return new_visitor()
