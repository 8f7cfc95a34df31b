"""Web nodes come and go while runs go on at workers: no byte is lost, and nobody is refused."""

from __future__ import annotations

from pathlib import Path

from tests.nodes.fleet import Fleet, Load, Visits, has_all, progress
from tests.support.server import JOBS
from tests.support.workers import Worker

RUNS = 3
VIEWERS = 8  # of each


def test_a_rolling_restart_of_all_nodes_loses_no_byte_of_runs_on_a_worker(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, EXECUTOR="celery")
    with fleet:
        settings = {**fleet.environ, "JOBS_PATH": str(JOBS)}
        instance = tmp_path / "node0" / "instance"
        with Worker(tmp_path, instance, processes=RUNS, **settings), Load(fleet) as load:
            runs = [fleet.start_run("checksummed", lines_per_second=1000) for _ in range(RUNS)]
            followers = {run: load.follow(run, VIEWERS) for run in runs}
            everybody = [each for found in followers.values() for each in found]
            progress(everybody)
            with Visits(fleet.url) as visits:
                for node in fleet.nodes:
                    node.restart()
                    progress(everybody)
            assert set(visits.statuses) == {200}
            assert {fleet.run_record(run)["executor"] for run in runs} == {"celery"}
            assert all(each.connections > 1 for each in everybody)
            for run in runs:
                has_all(fleet, run, followers[run])
