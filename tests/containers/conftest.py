"""Clones and their containers. `make test-containers` runs these; plain pytest does not.

They need a Docker engine, which not every machine has, and build images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import browser as browser
from tests.browser.conftest import open_page as open_page
from tests.containers.stack import Stack, copy_of_clone

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """They are run by their name only."""
    asked = [Path(str(argument).partition("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in asked) else True


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
        running.up("--build")
        yield running
