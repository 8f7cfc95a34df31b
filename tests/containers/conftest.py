"""Clones and their containers. `make test-containers` runs these; plain pytest does not.

They need a Docker engine, which not every machine has, and build images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import EXPECTED
from tests.browser.conftest import browser as browser
from tests.containers.stack import Stack, copy_of_clone

HERE = Path(__file__).parent
AWAY = "status of 503"  # nginx or flask, while what is behind it is restarted


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """They are run by their name only."""
    asked = [Path(str(argument).partition("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in asked) else True


@pytest.fixture(scope="session", autouse=True)
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The images, built once for all tests; secrets lie beside the sources."""
    folder = copy_of_clone(tmp_path_factory.mktemp("images"))
    for name in ("app/.env", "nginx/own.env", "webexintegration.env"):
        (folder / name).write_text("CLIENT_SECRET=stays-out-of-images\n")
    Stack(folder).compose("build", seconds=500)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens a page in a context of its own; any other fault of it than an outage fails the test."""
    faults: list[str] = []
    contexts = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in (*EXPECTED, AWAY)):
            faults.append(message.text)

    def open_one(url: str) -> Page:
        context = browser.new_context(viewport={"width": 1200, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", hear)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of one test's own, with nothing configured."""
    return copy_of_clone(tmp_path)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The development containers of a clone without a login, with the tests' jobs."""
    folder = copy_of_clone(tmp_path_factory.mktemp("clone"))
    (folder / ".env").write_text("LOGIN=none\nJOBS_PATH=tests/programs/jobs\n")
    with Stack(folder) as running:
        running.up()
        yield running
