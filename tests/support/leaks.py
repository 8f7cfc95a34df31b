"""Fails a test that leaves a thread, a descriptor or a child process behind.

What a fixture of a wider scope than a function holds is that fixture's until the session ends; so
are the hub's own descriptors and the workers of pools, as long as these have nothing to do.
Descriptors are looked at where there is /proc.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from concurrent.futures import thread as pool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

PATIENCE_SECONDS = 30.0  # what has been told to end may take this long on a machine that stalls
GARBAGE_SECONDS = 0.1  # ... and after this, what only the garbage collector ends is ended
PROC = Path("/proc")


@dataclass(frozen=True)
class Descriptor:
    number: int
    target: str

    def __str__(self) -> str:
        return f"descriptor {self.number} -> {self.target}"


@dataclass(frozen=True)
class Child:
    pid: int

    def __str__(self) -> str:
        try:
            command = " ".join(psutil.Process(self.pid).cmdline())
        except psutil.ZombieProcess:
            command = "ended, and was not waited for"
        except psutil.NoSuchProcess:
            command = "has just ended"
        return f"child process {self.pid}: {command}"


Resource = threading.Thread | Descriptor | Child

_strangers: set[int] = set()  # processes that are no children of this one: looked at once


def held() -> set[Resource]:
    """What this process holds now."""
    return {*threading.enumerate(), *_descriptors(), *_children()}


def _descriptors() -> Iterator[Descriptor]:
    folder = PROC / "self" / "fd"
    for name in os.listdir(folder) if folder.exists() else ():
        with suppress(FileNotFoundError):  # the one that listed the folder
            yield Descriptor(int(name), os.readlink(folder / name))


def _children() -> Iterator[Child]:
    if not (PROC / "self").exists():
        yield from (Child(process.pid) for process in psutil.Process().children())
        return
    present = {int(name) for name in os.listdir(PROC) if name.isdigit()}
    _strangers.intersection_update(present)
    for pid in present - _strangers:
        if _parent(pid) == os.getpid():
            yield Child(pid)
        else:
            _strangers.add(pid)


def _parent(pid: int) -> int | None:
    try:
        fields = (PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields.rpartition(b")")[2].split()[1])  # a name may hold blanks and brackets


def left_behind(before: set[Resource], seconds: float = PATIENCE_SECONDS) -> set[Resource]:
    """Return what is held now and was not `before`; wait up to `seconds` for its end."""
    begin = time.monotonic()
    collected = False
    while left := {each for each in held() - before if not _stays(each)}:
        waited = time.monotonic() - begin
        if waited > seconds:
            break
        if waited > GARBAGE_SECONDS and not collected:
            collected = True
            gc.collect()
        _pause(0.005)
    return left


def _pause(seconds: float) -> None:
    """Wait; where tests have the hub of plain threads, its tasks get it meanwhile."""
    on_threads = sys.modules.get("flask_realtime.host.threads")
    (time if on_threads is None else on_threads).sleep(seconds)


def names(resources: set[Resource]) -> list[str]:
    """What they are, for people."""
    return sorted(map(_name, resources))


def _name(resource: Resource) -> str:
    if not isinstance(resource, threading.Thread):
        return str(resource)
    frame = sys._current_frames().get(resource.ident or 0)
    place = f" in {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    return f"thread {resource.name!r}{place}"


def _stays(resource: Resource) -> bool:
    """Whether it belongs to the process rather than to a test."""
    if isinstance(resource, threading.Thread):
        return _is_idle_worker(resource)
    return isinstance(resource, Descriptor) and resource.number in _descriptors_of_the_hub()


def _is_idle_worker(thread: threading.Thread) -> bool:
    """Whether it waits for work in the loop of a ThreadPoolExecutor, or of the hub's pool."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is not None and frame.f_code is pool._worker.__code__:
        return True
    own = getattr(sys.modules.get("flask_realtime.host.workers"), "_Worker", None)
    if frame is not None and own is not None and frame.f_code is own._next.__code__:
        return True
    callers = [each.f_code for each, _ in traceback.walk_stack(frame)] if frame else []
    worker = getattr(sys.modules.get("eventlet.tpool"), "tworker", None)
    return worker is not None and [queue.Queue.get.__code__, worker.__code__] == callers[1:3]


def _descriptors_of_the_hub() -> set[int]:
    """Those of eventlet's hub and its pool, which are made at their first use and then kept."""
    hub = getattr(getattr(sys.modules.get("eventlet.hubs"), "_threadlocal", None), "hub", None)
    hub_pool = sys.modules.get("eventlet.tpool")
    keepers: list[Any] = [getattr(hub, "poll", None)]
    keepers += [getattr(hub_pool, name, None) for name in ("_rsock", "_wsock")]
    return {keeper.fileno() for keeper in keepers if hasattr(keeper, "fileno")}


# The plug-in of pytest.

_OWNED = pytest.StashKey[set[Resource]]()  # by fixtures of a wider scope
_REPORTED = pytest.StashKey[set[Resource]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_OWNED] = set()
    config.stash[_REPORTED] = set()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Note what fixtures of a wider scope hold, also when a test asks for one in its middle."""
    if fixturedef.scope == "function":
        return (yield)
    before = held()
    try:
        return (yield)
    finally:
        request.config.stash[_OWNED].update(held() - before)


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind, its own fixtures included."""
    owned, reported = request.config.stash[_OWNED], request.config.stash[_REPORTED]
    before = held()
    yield
    if left := left_behind(before | owned):
        reported.update(left)
        pytest.fail("\n  ".join(["left behind:", *names(left)]), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def no_leaks_of_the_session(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the last test when fixtures of a wider scope leave something behind."""
    reported = request.config.stash[_REPORTED]
    before = held()
    yield
    if left := left_behind(before | reported):
        pytest.fail("\n  ".join(["left behind by the session:", *names(left)]), pytrace=False)
