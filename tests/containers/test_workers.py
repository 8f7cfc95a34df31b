"""The service `worker`: runs go there, it scales, and the web node may go meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.containers.stack import Stack, copy_of_clone
from tests.support.patience import eventually


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = copy_of_clone(tmp_path_factory.mktemp("clone"))
    (folder / ".env").write_text("LOGIN=none\nJOBS_PATH=tests/programs/workerjobs\n")
    with Stack(folder, EXECUTOR="celery", WORKER_RUNS="2") as running:
        running.up("--scale", "worker=2")
        yield running


def inspected(container: str) -> dict[str, object]:
    told = subprocess.run(["docker", "inspect", container], capture_output=True, check=True)
    found: dict[str, object] = json.loads(told.stdout)[0]
    return found


def is_well(container: str) -> bool:
    state = inspected(container)["State"]
    return isinstance(state, dict) and state["Health"]["Status"] == "healthy"


def test_workers_say_that_they_are_well(workers: Stack) -> None:
    found = workers.containers("worker")
    assert len(found) == 2
    eventually(lambda: all(is_well(each) for each in found))


def test_runs_go_to_all_workers_and_outlive_the_web_node(workers: Stack) -> None:
    runs = [
        workers.start_run(job, lines=400, delay_ms=20)
        for job in ("count", "count_apart", "count", "count_apart")
    ]
    eventually(lambda: all(workers.output(run) for run in runs))
    hosts = {workers.run_record(run)["host"] for run in runs}
    assert len(hosts) == 2
    workers.compose("restart", "--timeout", "5", "flask")
    workers.wait_ready()
    for run in runs:
        eventually(lambda run=run: workers.state(run) == "succeeded")
        assert workers.output(run).split() == [b"%d" % number for number in range(400)]


def test_commands_of_the_jobs_folder_run_there(workers: Stack) -> None:
    run = workers.start_run("interrupted")
    eventually(lambda: workers.output(run))
    workers.post(f"/api/runs/{run}/stop")
    eventually(lambda: workers.state(run) == "stopped")
    assert b"got INT" in workers.output(run)


def test_a_worker_that_is_stopped_lets_its_runs_end(workers: Stack) -> None:
    runs = [workers.start_run("count", lines=150, delay_ms=20) for _ in range(4)]
    eventually(lambda: all(workers.output(run) for run in runs))
    workers.compose("stop", "worker")
    for run in runs:
        assert workers.state(run) == "succeeded"
        assert len(workers.output(run).split()) == 150
    late = workers.start_run("count")
    workers.compose("start", "worker")
    eventually(lambda: workers.state(late) == "succeeded")
