"""The tests of what keeps runs in Redis, on a cluster: each script must stay within one slot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.redisgroups import Cluster
from tests.support.server import ROOT

MODULES = [
    "test_bus.py",
    "test_history.py",
    "test_outputlog.py",
    "test_registry.py",
    "test_retention.py",
    "test_runsearch.py",
    "test_unwatched.py",
]


def test_they_pass_there_as_well(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *_paths()],
            cwd=ROOT,
            env={**os.environ, "TEST_REDIS_URL": cluster.url},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout


def _paths() -> list[str]:
    return [f"tests/unit/{name}" for name in MODULES]
