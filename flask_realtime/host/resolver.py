"""Eventlet without its resolver of names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "EVENTLET_NO_GREENDNS"


@contextmanager
def without_resolver() -> Iterator[None]:
    """Let an import of eventlet leave its resolver out, a fifth of what a server's start costs.

    Names are resolved on native threads here, as the system is told to.
    """
    before = os.environ.get(_NAME)
    os.environ[_NAME] = "yes"
    try:
        yield
    finally:
        del os.environ[_NAME]
        if before is not None:
            os.environ[_NAME] = before
