"""A sandbox that the tests of this folder share; each finds it fresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from webexpythonsdk import WebexAPI

from tests.support.webexsandbox import Sandbox

Call = Callable[..., requests.Response]
Client = Callable[[str], WebexAPI]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(spaces=12, messages=250) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    """`call("GET", "rooms", user="ben", **options of requests)`."""

    def send(
        method: str, path: str, *, user: str = "ada", token: str = "", **options: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or f'sandbox-token-{user}'}"}
        url = path if path.startswith("http") else sandbox.api_url + path
        headers |= options.pop("headers", {})
        return requests.request(method, url, headers=headers, timeout=60, **options)

    return send


@pytest.fixture
def sdk(sandbox: Sandbox) -> Iterator[Client]:
    """The published client of others, for a user."""
    made: list[WebexAPI] = []

    def client(token: str) -> WebexAPI:
        made.append(
            WebexAPI(access_token=token, base_url=sandbox.api_url, wait_on_rate_limit=False)
        )
        return made[-1]

    yield client
    for each in made:
        each._session._req_session.close()  # it has no method for that


@pytest.fixture
def ada(sdk: Client) -> WebexAPI:
    return sdk("sandbox-token-ada")


@pytest.fixture
def ben(sdk: Client) -> WebexAPI:
    return sdk("sandbox-token-ben")
