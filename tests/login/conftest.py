"""A server that is configured for Webex, which the sandbox stands in for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.logins import integration
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox


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
