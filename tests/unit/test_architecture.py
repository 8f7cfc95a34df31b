"""The rules of the house: who imports what, and that importing changes nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
import flask_realtime

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "flask_realtime").rglob("*.py"), *(ROOT / "app").rglob("*.py")])
LONGEST = 320  # lines of a file: one concept each


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_the_host_imports_eventlet() -> None:
    users = [path for path in SOURCES if any(n.startswith("eventlet") for n in imports(path))]
    assert users == [ROOT / "flask_realtime" / "host" / "eventlet.py"]


def test_eventlet_is_loaded_without_its_resolver_and_leaves_the_environment_alone() -> None:
    program = """
import os, sys
before = dict(os.environ)
import app.factory, flask_realtime.host
flask_realtime.host.use("eventlet")
print("eventlet" in sys.modules, "dns" in sys.modules, os.environ == before)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "True False True\n", result.stderr


def test_an_engine_on_threads_needs_neither_flask_nor_eventlet() -> None:
    program = """
import sys
from flask_realtime import host
host.use("threading")
import flask_realtime.engine
with host.entered():
    host.spawn(host.sleep, 0).wait()
print(host.ASYNC_MODE, [name for name in ("flask", "eventlet") if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "threading []\n", result.stderr


def test_only_its_executor_imports_celery() -> None:
    roots = {"celery", "kombu", "billiard", "amqp", "vine"}
    users = [path.name for path in SOURCES if {n.split(".")[0] for n in imports(path)} & roots]
    assert users == ["celery.py"]


def test_the_library_does_not_import_the_application() -> None:
    for path in SOURCES:
        if "flask_realtime" in path.relative_to(ROOT).parts:
            assert not [name for name in imports(path) if name.split(".")[0] == "app"], path


def test_nothing_is_monkey_patched() -> None:
    for path in SOURCES:
        assert "monkey_patch(" not in path.read_text("utf-8"), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_concept(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


def test_importing_changes_nothing() -> None:
    program = """
import sys, threading, concurrent.futures as futures
before = (sys.stdout, sys.stderr, sys.stdin, threading.Thread.start,
          futures.ThreadPoolExecutor.submit, sys.getswitchinterval(), threading.active_count())
import flask_realtime, app, wsgi, test, flask_realtime.extension, app.factory
after = (sys.stdout, sys.stderr, sys.stdin, threading.Thread.start,
         futures.ThreadPoolExecutor.submit, sys.getswitchinterval(), threading.active_count())
assert before == after, (before, after)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "module",
    [
        "flask_realtime",
        "flask_realtime.isolation.child",
        "flask_realtime.isolation.ownthreads",
        "flask_realtime.jobs",
        "flask_realtime.jobsfolder.jobsfolder",
        "flask_realtime.marks",
        "flask_realtime.pipeio",
        "flask_realtime.progress",
        "flask_realtime.runs",
        "app",
        "app.code_census",
        "app.create_spaces",
        "app.delete_spaces",
        "app.list_spaces",
        "app.login.jobaccess",
        "app.login.jobtoken",
        "app.workerapp",
        "app.workerprocess",
        "flask_realtime.engine",
        "flask_realtime.executors.celery",
    ],
)
def test_jobs_and_what_they_use_need_neither_flask_nor_eventlet(module: str) -> None:
    program = f"import sys, {module}; print([n for n in ('flask', 'eventlet') if n in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "[]\n", result.stderr


def test_the_process_of_a_job_loads_little() -> None:
    program = """
import sys, flask_realtime.isolation.child
print([name for name in ("flask", "eventlet", "redis", "msgspec", "asyncio", "logging", "socket",
                         "subprocess", "traceback", "flask_realtime.jobs") if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "[]\n", result.stderr


def test_all_that_the_package_names_is_there() -> None:
    for package in (flask_realtime, app):
        for name in package.__all__:
            assert getattr(package, name) is not None
        with pytest.raises(AttributeError, match="no attribute 'absent'"):
            package.absent  # noqa: B018
