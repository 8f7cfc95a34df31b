"""Which tests run on which hub, and in which order several processes take the files.

`make test` runs all tests on the hub that ASYNC_MODE names. Most of what is tested does not know
the hub, so continuous integration runs all tests on eventlet, and on plain threads those that are
marked `hub` here.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

# Folders of tests whose servers show what the hub does; but no browsers: what a page is sent is
# tested without one. Of the units, those whose tests use the hub themselves; of the tests of the
# whole server, those of what it does at once and for long.
HUB = {"server", "sockets"}
UNITS = "unit"
WHOLE = "integration"
WHOLE_ON_THE_HUB = {
    "test_asking",
    "test_dead_owners",
    "test_exact_resume",
    "test_many_viewers",
    "test_process_runs",
    "test_protocol",
    "test_redis_outages",
    "test_socket_protocol",
    "test_two_servers",
    "test_unwatched",
}
BROWSER = "browser"  # the fixture

# About what a test takes, with a browser or by its folder: files that take long begin first, so
# that no process is left with one at the end.
SECONDS = {
    "faults": 30.0,
    "nodes": 10.0,
    "workers": 5.0,
    "integration": 1.5,
    "login": 1.5,
    "proxy": 1.0,
    "server": 1.0,
}
OTHERS_SECONDS = 0.2
BROWSER_SECONDS = 5.0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hub: runs in continuous integration on both hubs")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only those are wanted, load no others: each of several processes would."""
    tests = config.rootpath / "tests"
    if config.getoption("markexpr") != "hub" or collection_path.parent != tests:
        return None
    return collection_path.name not in HUB | {UNITS, WHOLE} or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _is_on_the_hub(item) and not _has_browser(item):
            item.add_marker("hub")
    if hasattr(config, "workerinput"):  # one process of several
        seconds: defaultdict[str, float] = defaultdict(float)
        for item in items:
            seconds[str(item.path)] += _seconds(item)
        items.sort(key=lambda item: -seconds[str(item.path)])


def _is_on_the_hub(item: pytest.Item) -> bool:
    folder = _folder(item)
    if folder == UNITS:
        return hasattr(getattr(item, "module", None), "host")
    return folder in HUB or (folder == WHOLE and item.path.stem in WHOLE_ON_THE_HUB)


def _has_browser(item: pytest.Item) -> bool:
    return BROWSER in getattr(item, "fixturenames", ())


def _seconds(item: pytest.Item) -> float:
    return BROWSER_SECONDS if _has_browser(item) else SECONDS.get(_folder(item), OTHERS_SECONDS)


def _folder(item: pytest.Item) -> str:
    """That of `tests` in which the test's file is."""
    return item.path.relative_to(item.config.rootpath / "tests").parts[0]
