"""The archive's calls on threads of its own, as they end."""

from __future__ import annotations

import pytest

from flask_realtime import host
from flask_realtime.archive.calls import Calls
from flask_realtime.errors import ArchiveUnavailable


def test_what_was_asked_for_just_before_the_end_is_refused_and_leaves_no_thread() -> None:
    calls = Calls()
    assert calls.run(lambda: 1) == 1
    asked = host.spawn(calls.run, lambda: 2)
    host.sleep(0)  # it waits; its call has had no turn
    calls.stop()
    for task in (asked, host.spawn(calls.run, lambda: 3)):
        with pytest.raises(ArchiveUnavailable, match="shutting down"):
            task.wait()
