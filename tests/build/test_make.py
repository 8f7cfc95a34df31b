"""The Makefile and the scripts beside it, as somebody at a terminal meets them."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# As a real one it ends later than make hears of Ctrl+C. One that is quicker, on a busy machine,
# lets GNU make wait for a child that it has waited for already: "wait: No child processes".
SERVER = """
import os, pathlib, signal, time
def make_has_heard():
    status = pathlib.Path("/proc", str(os.getppid()), "status").read_text()
    pending = int(status.partition("ShdPnd:")[2].split()[0], 16)
    return not pending & 1 << signal.SIGINT - 1
try:
    print("serving", os.environ.get("JOBS_PATH"), os.environ.get("PORT"), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    while not make_has_heard():
        time.sleep(0.01)
    print("stopped", flush=True)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, all prepared, and a small stand-in for the server."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "prepare.py").write_text("")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "wsgi.py").write_text(SERVER)
    return tmp_path


def environment(**changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LC_ALL": "C", **changes}


def make(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def read_until(process: subprocess.Popen[bytes], wanted: bytes, seconds: float = 20) -> bytes:
    assert process.stdout is not None
    said = b""
    deadline = time.monotonic() + seconds
    while wanted not in said:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} did not come, only {said!r}"
        if select.select([process.stdout], [], [], left)[0]:
            part = os.read(process.stdout.fileno(), 4096)
            assert part, f"{wanted!r} did not come, only {said!r}"
            said += part
    return said


@contextmanager
def running(folder: Path, *arguments: str, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run make in a process group of its own, as a terminal does; end what is left of it."""
    process = subprocess.Popen(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=folder,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)
        process.stdout.close()


def test_settings_reach_the_server_from_the_command_line_and_the_environment(clone: Path) -> None:
    with running(clone, "run", "JOBS_PATH=/some/jobs", PORT="8123") as process:
        assert b"serving /some/jobs 8123" in read_until(process, b"\n")


def test_ctrl_c_stops_the_server_without_a_word_from_make(clone: Path) -> None:
    with running(clone, "run") as process:
        said = read_until(process, b"serving")
        os.killpg(process.pid, signal.SIGINT)
        said += read_until(process, b"stopped\n")
        process.wait(timeout=60)
        assert process.stdout is not None
        said += process.stdout.read()
    assert b"***" not in said
    assert b"Error" not in said


def test_stopping_make_stops_the_server(clone: Path) -> None:
    with running(clone, "run") as process:
        read_until(process, b"serving")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.read()  # ends only when the server, too, has let go of it


def test_missing_python_is_one_clear_line(clone: Path) -> None:
    failed = make(clone, "run", "PYTHON=python-of-nowhere")
    lines = [line for line in failed.stderr.splitlines() if not line.startswith("make")]
    assert failed.returncode != 0
    assert len(lines) == 1
    assert "python-of-nowhere is not on PATH" in lines[0]
    assert "3.10" in lines[0]


def test_old_python_is_one_clear_line(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    code = "import sys; sys.version_info = (3, 8, 18); exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$2"\n')
    old.chmod(0o755)
    failed = make(clone, "run", f"PYTHON={old}")
    lines = [line for line in failed.stderr.splitlines() if not line.startswith("make")]
    assert failed.returncode != 0
    assert lines == ["Python 3.8 is too old, 3.10 or newer is needed: make PYTHON=/path/to/python3"]


@pytest.fixture
def few_programs(tmp_path: Path) -> Path:
    """Return a folder to be the whole PATH: it holds what a shell script itself needs."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("sh", "dirname", "mkdir", "id", "find", "sleep", "cat"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def script(name: str, programs: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(programs / "sh"), str(ROOT / name)],
        env={"PATH": str(programs), **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_missing_test_programs_are_named_in_one_line(few_programs: Path) -> None:
    told = script("tools/install_test_system.sh", few_programs)
    (line,) = told.stderr.splitlines()
    assert told.returncode == 0
    assert "sudo apt install" in line
    assert "chromium" in line
    assert "redis-server" in line


def test_missing_test_programs_fail_a_ci_run(few_programs: Path) -> None:
    assert script("tools/install_test_system.sh", few_programs, CI="1").returncode == 1


def test_run_redis_without_docker_is_one_clear_line(few_programs: Path) -> None:
    failed = script("run_redis.sh", few_programs)
    (line,) = failed.stderr.splitlines()
    assert failed.returncode == 1
    assert "docker is not installed" in line


def test_run_redis_without_an_engine_is_one_clear_line(few_programs: Path) -> None:
    docker = few_programs / "docker"
    docker.write_text("#!/bin/sh\necho cannot connect >&2\nexit 1\n")
    docker.chmod(0o755)
    failed = script("run_redis.sh", few_programs)
    (line,) = failed.stderr.splitlines()
    assert failed.returncode == 1
    assert "the Docker engine does not answer" in line


def test_run_redis_publishes_on_loopback_and_keeps_its_data(
    few_programs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy(ROOT / "run_redis.sh", folder)
    docker = few_programs / "docker"
    docker.write_text(
        f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\nif [ "$1" = exec ]; then echo PONG; fi\n'
    )
    docker.chmod(0o755)
    done = script(str(folder / "run_redis.sh"), few_programs)
    assert done.returncode == 0, done.stderr
    assert (folder / "redis_data").is_dir()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert "build -t app-redis -f Dockerfile-redis ." in calls
    assert "rm -f redis" in calls
    assert (
        f"run --name redis -p 127.0.0.1:6379:6379 -d -v {folder}/redis_data:/data app-redis"
        in calls
    )
    started = next(number for number, call in enumerate(calls) if call.startswith("run "))
    assert calls.index("rm -f redis") < started
