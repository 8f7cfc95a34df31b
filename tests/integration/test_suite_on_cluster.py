"""The tests of what keeps runs in Redis, on a cluster: each script must stay within one slot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.loggedprocess import ROOT
from tests.support.redisgroups import Cluster

UNIT = "tests/unit/"
WORKERS = UNIT + "test_runs_on_workers.py::"
TESTS = [
    UNIT + "test_bus.py",
    UNIT + "test_history.py",
    UNIT + "test_outputlog.py",
    UNIT + "test_registry.py",
    UNIT + "test_retention.py",
    UNIT + "test_unwatched.py",
    WORKERS + "test_the_bound_of_a_job_holds_over_all_workers_in_the_order_of_starts",
    WORKERS + "test_output_goes_on_behind_what_the_lost_worker_had_stored",
]
# What takes seconds by itself, and asks Redis nothing that the others do not.
SLOW = "not a_process_that_starts and not server_that_has_died and not lead_to_each_other"


def test_they_pass_there_as_well(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "-k",
                SLOW,
                *TESTS,
            ],
            cwd=ROOT,
            env={**os.environ, "TEST_REDIS_URL": cluster.url},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
