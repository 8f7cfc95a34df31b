"""Fixtures of the proxy's tests: a Flask application as a process of its own, and upstreams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import browser, open_page
from tests.proxy.support import Site

__all__ = ["browser", "open_page", "site"]


@pytest.fixture
def site() -> Iterator[Site]:
    """Starts sites; they are ended after the test, and must have left nothing behind."""
    with Site() as started:
        yield started
