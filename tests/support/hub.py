"""Waiting on the hub, for tests that run greenlets in their own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask_realtime import host
from flask_realtime.routing import Routing
from tests.support.patience import PATIENCE_SECONDS

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Let greenlets run until `condition()` is true, and return it; fail after `seconds`."""
    deadline = host.Deadline(seconds)
    while not (value := condition()):
        assert deadline.left(), f"not within {seconds} s: {condition}"
        host.sleep(0.002)
    return value


@contextmanager
def installed_routing() -> Iterator[Routing]:
    """A routing for the test's body: what a fixture sets in `sys`, pytest replaces after it."""
    routing = Routing()
    routing.install()
    try:
        yield routing
    finally:
        routing.uninstall()
