"""A server takes as many descriptors as it is allowed to."""

from __future__ import annotations

import resource
from pathlib import Path

import psutil
import pytest

from flask_realtime.server.descriptors import WANTED, take_descriptors
from tests.server.program import Program

SOURCE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
Server(app).run(0)
"""


@pytest.mark.parametrize(("soft", "hard", "taken"), [(200, 400, 400), (300, 300, 300)])
def test_the_soft_limit_is_raised_to_the_hard_one(
    tmp_path: Path, soft: int, hard: int, taken: int
) -> None:
    with Program(tmp_path, SOURCE.format(soft=soft, hard=hard)) as program, program.connect():
        process = psutil.Process(program.process.pid)
        assert process.rlimit(psutil.RLIMIT_NOFILE) == (taken, hard)


def test_what_is_enough_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("it was set")

    for limits in (
        (WANTED, resource.RLIM_INFINITY),
        (WANTED + 1, WANTED + 1),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, limits=limits: limits)
        monkeypatch.setattr(resource, "setrlimit", fail)
        take_descriptors()
