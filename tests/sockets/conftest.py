"""The served application, over http and over https."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sockets.serving import Serving, make_certificate

MODULE = "tests.sockets.served"


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that many tests share, over http."""
    running = Serving(tmp_path_factory.mktemp("sockets"), ["-m", MODULE])
    yield running
    running.stop()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that many tests share, over https."""
    folder: Path = tmp_path_factory.mktemp("sockets_tls")
    certificate, key = make_certificate(folder)
    running = Serving(folder, ["-m", MODULE, str(certificate), str(key)], certificate)
    yield running
    running.stop()


@pytest.fixture(params=["http", "https"])
def served(request: pytest.FixtureRequest) -> Serving:
    """Each of the two in turn."""
    name = "plain" if request.param == "http" else "tls"
    running: Serving = request.getfixturevalue(name)
    return running


@pytest.fixture(params=["http", "https"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """One of a test's own, each way."""
    if request.param == "http":
        running = Serving(tmp_path, ["-m", MODULE])
    else:
        certificate, key = make_certificate(tmp_path)
        running = Serving(tmp_path, ["-m", MODULE, str(certificate), str(key)], certificate)
    yield running
    running.stop()
