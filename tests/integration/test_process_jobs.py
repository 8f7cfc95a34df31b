"""Python jobs in processes of their own, on the real server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server

PROGRAMS = ROOT / "tests" / "programs"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jobs folder that tests may change."""
    folder = tmp_path_factory.mktemp("work") / "jobs"
    shutil.copytree(PROGRAMS / "childjobs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("edited", "removed", "renamed"):
        (folder / f"{name}.py").write_text(
            "from flask_realtime import job\n\n\n"
            "@job(isolation='process')\n"
            f"def {name}(running):\n    print('as it was')\n"
        )
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, jobs: Path) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server"), JOBS_PATH=str(jobs)) as running:
        yield running


def ended(server: Server, job: str, **params: object) -> tuple[dict[str, object], str]:
    """Run a job to its end; how it ended, and its output."""
    run = server.start_run(job, **params)
    record = server.ended(run)
    exit = record["exit"]
    return {"state": record["state"], **exit}, server.output(run).decode()


SUCCEEDED = {"state": "succeeded", "code": 0, "reason": "finished"}


def test_whatever_a_job_prints_arrives(server: Server) -> None:
    run = server.start_run("from_everywhere")
    eventually(lambda: b"grandchild\n" in server.output(run))
    assert server.post(f"/api/runs/{run}/input", {"data": "\n"}).status_code == 200
    assert server.ended(run)["state"] == "succeeded"
    lines = server.output(run).decode().split("\n")
    for line in ("print 42", "os.write", "printf", "thread", "child", "grandchild", "stderr"):
        assert lines.count(line) == 1, lines


def test_a_job_in_a_loop(server: Server) -> None:
    end, output = ended(server, "with_asyncio")
    assert end == {"state": "failed", "code": 1, "reason": "LookupError: in the loop"}
    lines = output.splitlines()
    assert lines[:6] == [
        *("task 0", "task 1", "task 2", "to_thread", "subprocess"),
        "Traceback (most recent call last):",
    ]
    assert lines[6].endswith("in with_asyncio")


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_job_that_computes_in_other_processes(server: Server, method: str) -> None:
    assert ended(server, "with_multiprocessing", method=method) == (
        SUCCEEDED,
        "[2, 4, 6]\n[1, 2]\n",
    )


def test_what_a_job_masks_is_not_seen_from_the_next_byte_on(server: Server) -> None:
    end, output = ended(server, "masked")
    assert end == {"state": "failed", "code": 1, "reason": "LookupError: ***"}
    lines = output.splitlines()
    assert lines[:20] == ["***"] * 20
    # A secret that comes byte by byte shows up to three before it is known as one.
    assert re.fullmatch(r"(i|in|inv)?\*\*\*", lines[20])
    assert lines[21] == "local"
    assert lines[-1] == "LookupError: ***"


def test_progress_is_in_the_record_and_a_stop_is_heard(server: Server) -> None:
    run = server.start_run("half_done")

    def half() -> bool:
        progress = server.run_record(run)["progress"]
        return progress is not None and progress["percent"] == 50

    eventually(half)
    progress = server.run_record(run)["progress"]
    assert (progress["source"], progress["label"]) == ("job", "copying")
    server.post(f"/api/runs/{run}/stop")
    record = server.ended(run)
    assert (record["state"], record["exit"]) == ("stopped", {"code": 0, "reason": "stopped"})
    assert record["processes"] == {"ended": 1, "left": 0}
    assert server.output(run) == b"tidied up\n"


def test_a_run_goes_on_while_its_threads_do(server: Server) -> None:
    run = server.start_run("leaves_a_thread")
    eventually(lambda: server.output(run) == b"returned\n")
    assert server.run_record(run)["state"] == "running"
    server.post(f"/api/runs/{run}/stop")
    assert server.ended(run)["state"] == "stopped"
    assert server.output(run) == b"returned\nthe thread has ended\n"


def test_a_file_that_was_edited_is_run_as_it_is_now(server: Server, jobs: Path) -> None:
    file = jobs / "edited.py"
    assert ended(server, "edited") == (SUCCEEDED, "as it was\n")
    file.write_text(file.read_text().replace("as it was", "as it is now"))
    assert ended(server, "edited") == (SUCCEEDED, "as it is now\n")
    file.write_text("import math\n\n1 / 0\n")
    end, output = ended(server, "edited")
    assert end == {
        "state": "failed",
        "code": 1,
        "reason": f"{file}:3: ZeroDivisionError: division by zero",
    }
    assert f'File "{file}", line 3, in <module>' in output


def test_a_job_that_is_gone_says_so(server: Server, jobs: Path) -> None:
    (jobs / "removed.py").unlink()
    file = jobs / "renamed.py"
    file.write_text(file.read_text().replace("def renamed", "def other"))
    end, output = ended(server, "removed")
    assert end["reason"] == f"{jobs}/removed.py: it is not there any more"
    assert output == f"{end['reason']}\n"
    end, _ = ended(server, "renamed")
    assert end["reason"] == f"{file}: there is no 'renamed' in it any more"


def test_a_job_of_the_main_script(tmp_path: Path) -> None:
    script = shutil.copy(PROGRAMS / "mainscript.py", tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(script), "0"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:

        def address() -> re.Match[str] | None:
            assert process.poll() is None, log.read_text()
            return re.search(r"Serving (http://localhost:\d+/realtime)", log.read_text())

        url = eventually(address, 30)[1]
        started = requests.post(
            f"{url}/api/runs", json={"job": "tidy", "params": {"word": "here"}}, timeout=20
        )
        run = f"{url}/api/runs/{started.json()['id']}"
        eventually(lambda: requests.get(run, timeout=20).json()["ended"], 20)
        assert requests.get(run, timeout=20).json()["state"] == "succeeded"
        assert requests.get(f"{run}/output", timeout=20).text == "__mp_main__ True here\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
