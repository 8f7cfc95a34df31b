"""Three web nodes over one Redis behind one nginx, and a process that owns runs of its own."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import requests

from flask_realtime.redisserver import RedisServer
from tests.programs.jobs.checksummed import stream
from tests.support.apiclient import ApiClient
from tests.support.follower import Follower
from tests.support.gateway import Gateway
from tests.support.loggedprocess import ROOT
from tests.support.patience import PATIENCE_SECONDS, eventually
from tests.support.server import Server, free_port

NODES = 3
OWNER = ROOT / "tests" / "programs" / "owner.py"
TOKEN_KEY = "c" * 43 + "="  # Fernet's form


class Fleet(ApiClient):
    """All of it runs for the `with` block's time. `environ` is for the nodes; more may be added."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.redis = RedisServer(folder / "redis")
        self.archive = (folder / "archive").as_uri()
        self.nodes: list[Server] = []
        self.environ = {
            "ARCHIVE_URL": self.archive,
            "UPLOADS_PATH": str(folder / "uploads"),
            "OUTPUT_HOT_MIB": "1",  # so that who was away for long reads the archive
            "TRUSTED_PROXIES": "127.0.0.1",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "TOKEN_KEYS": TOKEN_KEY,
            **environ,
        }
        self._folder = folder
        self._stack = ExitStack()
        self.port = free_port()  # of nginx

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Fleet:
        with ExitStack() as stack:
            stack.enter_context(self.redis)
            self.environ["REDIS_URL"] = self.redis.url
            for number in range(NODES):
                folder = self._folder / f"node{number}"
                folder.mkdir()
                self.nodes.append(stack.enter_context(Server(folder, **self.environ)))
            ports = [node.port for node in self.nodes]
            stack.enter_context(Gateway(ports, self.port))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


class Load:
    """Runs of a process that is none of the nodes, and who watches; for the `with` block's time."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._followers: list[Follower] = []
        self._stack = ExitStack()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *error: object) -> None:
        for follower in self._followers:
            follower.stop()
        self._stack.close()

    def start_runs(self, count: int) -> list[str]:
        """Start runs of `checksummed` in a process of their own; return their ids."""
        process = subprocess.Popen(
            [sys.executable, str(OWNER), self._fleet.redis.url, self._fleet.archive, str(count)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_ended, process)
        assert process.stdout is not None
        return [process.stdout.readline().strip() for _ in range(count)]

    def follow(self, run: str, count: int = 1) -> list[Follower]:
        """Let so many watch a run through nginx."""
        made = [Follower(run, self._fleet.port) for _ in range(count)]
        self._followers += made
        return made

    def let_go(self, follower: Follower) -> None:
        """One that need not get all."""
        follower.stop()
        self._followers.remove(follower)


class Visits:
    """Somebody who asks through nginx all the time."""

    def __init__(self, url: str) -> None:
        self.statuses: list[int] = []
        self._url = url
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def __enter__(self) -> Visits:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stopped.wait(0.01):
            self.statuses.append(requests.get(f"{self._url}/api/runs", timeout=60).status_code)


def progress(followers: list[Follower], size: int = 50_000) -> None:
    """Wait until each of them has got so much more."""
    wanted = [len(follower.data) + size for follower in followers]
    eventually(
        lambda: all(
            follower.fault or len(follower.data) >= least
            for follower, least in zip(followers, wanted, strict=True)
        ),
        PATIENCE_SECONDS,
    )
    faults = {follower.fault for follower in followers} - {""}
    assert not faults, faults


def has_all(fleet: Fleet, run: str, followers: list[Follower]) -> None:
    """Stop a run, through any node, and see that everybody has had each byte of it once."""
    assert fleet.post(f"/api/runs/{run}/stop").status_code == 200
    record = fleet.ended(run)
    assert record["state"] == "stopped"
    printed = stream(record["output_lines"])
    assert len(printed) == record["output_bytes"]
    eventually(lambda: all(each.fault or len(each.data) >= len(printed) for each in followers))
    for follower in followers:
        assert not follower.fault
        assert follower.data == printed
    for node in fleet.nodes:
        assert node.output(run) == printed


def _ended(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0
