"""`make worker` beside `make run`: it finds the embedded Redis and the sandbox, and uses logins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox
from tests.support.workers import Worker


def load_worker(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import worker, sys; worker.app; {code}"],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("login", ["none", "webex"])
def test_a_worker_loads_neither_flask_nor_eventlet(tmp_path: Path, login: str) -> None:
    loaded = load_worker(
        "print([n for n in ('flask', 'eventlet', 'socketio') if n in sys.modules],"
        " sorted(n for n in worker.app.tasks if n.startswith('run')))",
        LOGIN=login,
        INSTANCE_PATH=str(tmp_path),
        REDIS_URL="redis://localhost:1/0",  # nothing is connected to
    )
    modules, _, tasks = loaded.stdout.partition("] ")
    assert modules == "[", loaded.stderr
    assert "'run', 'run.code_census'" in tasks
    assert ("'run.list_spaces'" in tasks) == (login == "webex")


def test_without_a_server_beside_it_a_worker_says_what_to_do(tmp_path: Path) -> None:
    failed = load_worker("", REDIS_URL="", REDIS_DATA=str(tmp_path))
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    assert line.startswith("REDIS_URL: is empty, and no embedded Redis runs in ")
    assert "make run" in line


def test_a_pool_of_threads_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *["-m", "celery", "--app", "worker", "worker", "--pool", "threads"]],
        cwd=ROOT,
        env={**os.environ, "REDIS_URL": "redis://localhost:1/0", "INSTANCE_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "--pool: runs need the pool `prefork`" in done.stderr


def test_jobs_use_their_users_webex_beside_an_embedded_redis(tmp_path: Path) -> None:
    """The server is restarted in between: Redis is where it was, and the sandbox somewhere else."""
    (tmp_path / "server").mkdir()
    instance = tmp_path / "server" / "instance"
    options = {"LOGIN": "webex", "REDIS_URL": "", "JOBS_PATH": ""}
    server = Server(
        tmp_path / "server",
        EXECUTOR="celery",
        SANDBOX_SPACES="3",
        SANDBOX_MESSAGES="5",
        **options,
    )
    redis = str(tmp_path / "server" / "redis")
    worker = Worker(tmp_path, instance, processes=1, REDIS_DATA=redis, **options)
    with server, worker:
        for _ in range(2):
            (url,) = re.findall(r"Webex sandbox at (http://[\d.:]+): invented", server.log)
            with Visitor(server, as_sandbox(url)) as visitor:
                visitor.log_in()
                run = visitor.start_run("list_spaces")
                record = eventually(
                    lambda run=run, visitor=visitor: (
                        (now := visitor.open(f"/api/runs/{run}").json())["ended"] and now
                    )
                )
                assert (record["state"], record["executor"]) == ("succeeded", "celery"), record
                output = visitor.open(f"/api/runs/{run}/output").text
            assert "3 of 3 spaces: 15 messages" in output
            server.restart()
    assert not (instance / "sandbox_address").exists()


def as_sandbox(url: str) -> Sandbox:
    made = Sandbox()  # not started: the server has started it
    made.url = url
    return made
