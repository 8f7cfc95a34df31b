"""A fleet of real processes: Redis, web nodes, nginx in front, runs at the nodes, and viewers."""

from __future__ import annotations

import itertools
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import requests
from redis import Redis

from flask_realtime.archive import manifest
from tests.faults.clock import Clock
from tests.faults.crowd import Crowd, Watched
from tests.faults.place import Place
from tests.faults.processes import TOKEN, Part
from tests.support.gateway import gateway_command, gateway_environ
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import free_port

JOBS = ROOT / "tests" / "programs" / "faultjobs"
NODES = 3
WORKERS = 3
AT_ONCE = 4  # runs of each worker
ON_WORKERS = 8  # of all runs
GUEST_VIEWERS = 3


class Fleet:
    """`runs` go on, each with its viewers; `over` have ended; `guests` are of one fault each."""

    def __init__(self, folder: Path, runs: int, viewers: int) -> None:
        self.runs: list[Watched] = []
        self.over: list[Watched] = []
        self.guests: list[Watched] = []
        self.token = secrets.token_hex(8)
        self.place = Place(folder)
        self.clock = Clock(folder)  # of web2
        self.port = free_port()
        self._folder = folder
        self._tags = itertools.count()
        self._session = requests.Session()
        environ = {TOKEN: self.token, "TZ": "UTC"}
        addresses = [self.place.lay_cable(number) for number in range(NODES + WORKERS + 1)]
        self.redis = self._make_redis(environ)
        ports = [free_port() for _ in range(NODES)]
        self.nodes = [
            self._make_node(f"web{number}", port, address, environ)
            for number, (port, address) in enumerate(zip(ports, addresses, strict=False))
        ]
        self.workers = [
            self._make_worker(f"w{number}", address, environ)
            for number, address in enumerate(addresses[NODES:-1])
        ]
        self.ports = {node.name: port for node, port in zip(self.nodes, ports, strict=True)}
        self.nginx = self._make_nginx(ports, environ)
        self.client = Redis(host=addresses[-1])
        self.crowd = Crowd()
        self._wanted = (runs, viewers)

    def _make_redis(self, environ: dict[str, str]) -> Part:
        project = (ROOT / "redis" / "redis.conf").read_text()
        configuration = self._folder / "redis.conf"
        configuration.write_text(project.replace("dir /data", f"dir {self.place.redis}"))
        command = [*self.place.of_redis(), "redis-server", str(configuration)]
        return Part("redis", command, self._folder, environ, lambda log: "Ready to accept" in log)

    def _make_node(self, name: str, port: int, address: str, environ: dict[str, str]) -> Part:
        own = {
            **self._settings(address),
            "PORT": str(port),
            "HOST": "127.0.0.1",
            "TRUSTED_PROXIES": "127.0.0.1",
            "MAX_RUNS": "100",
        }
        if name == "web2":
            own |= self.clock.environ
        command = [*self.place.inside(), sys.executable, "wsgi.py"]
        return Part(
            name,
            command,
            self._folder,
            environ | own,
            lambda log: re.search(r"Serving http://localhost:(\d+)/", log),
        )

    def _make_worker(self, name: str, address: str, environ: dict[str, str]) -> Part:
        celery = [sys.executable, "-m", "celery", "--app", "worker", "worker"]
        options = ["-n", f"{name}@%h", "-Q", f"{name},any", "-c", str(AT_ONCE), "--loglevel=info"]
        command = [*self.place.inside(), *celery, *options]
        own = environ | self._settings(address)
        return Part(
            name, command, self._folder, own, lambda log: re.search(rf"{name}@.* ready", log)
        )

    def _settings(self, address: str) -> dict[str, str]:
        """What web nodes and workers have to agree upon."""
        return {
            "REDIS_URL": f"redis://{address}:6379/0",
            "JOBS_PATH": str(JOBS),
            "LOGIN": "none",
            "INSTANCE_PATH": str(self._folder / "instance"),
            "ARCHIVE_URL": self.place.archive.as_uri(),
            "OUTPUT_HOT_MIB": "1",
            "STOP_GRACE_SECONDS": "1",
            "PYTHONPATH": str(ROOT),
        }

    def _make_nginx(self, ports: list[int], environ: dict[str, str]) -> Part:
        # nginx is another user, and pytest's folder is for this one alone.
        self._served = Path(tempfile.mkdtemp(prefix="gateway-"))
        self._served.chmod(0o755)
        own = gateway_environ(self._served, self.port, ports)

        def listens(log: str) -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        return Part("nginx", gateway_command(), self._folder, environ | own, listens)

    def start(self) -> None:
        self.redis.start()
        for part in (*self.nodes, *self.workers):
            part.launch()
        for part in (*self.nodes, *self.workers):
            part.wait_ready()
        self.nginx.start()
        runs, viewers = self._wanted
        cycle = ["steady", "steady_apart", "steady", "steady", "steady_apart"]
        on_nodes = [*["flood"] * 2, *cycle * runs][: runs - ON_WORKERS]
        for job, node in zip(on_nodes, itertools.cycle(self.nodes)):
            self.runs.append(self.start_run(job, node))
        for worker in self.workers:
            for job in ("steady_at", "apart_at"):
                self.runs.append(self.start_run(f"{job}_{worker.name}", self.nodes[0], worker))
        self.runs += [self.start_run("again", self.nodes[0], self.workers[0]) for _ in range(2)]
        for _, run in zip(range(viewers), itertools.cycle(self.runs)):
            self.crowd.add(self.port, run)

    def start_run(
        self, job: str, node: Part, owner: Part | None = None, **params: object
    ) -> Watched:
        """Start a run at a node, not through nginx: so its owner is known; or at a worker."""
        tag = f"r{next(self._tags):05d}"
        body = {"job": job, "params": {"tag": tag, **params}}
        answer = self._session.post(f"{self.url(node)}/api/runs", json=body, timeout=60)
        assert answer.status_code == 201, answer.text
        return Watched(answer.json()["id"], tag, job, (owner or node).name, job == "again")

    def start_guest(self, job: str, node: Part, **params: object) -> Watched:
        """Start a run that one fault is about; those who watched the one before watch it."""
        run = self.start_run(job, node, **params)
        if self.guests:
            self.crowd.move(self.guests[-1], run)
        else:
            for _ in range(GUEST_VIEWERS):
                self.crowd.add(self.port, run)
        self.guests.append(run)
        return run

    def stop_run(self, run: Watched) -> None:
        """Stop a run, at its owner where that is a node; a worker may not hear it at once."""
        node = next((each for each in self.nodes if each.name == run.owner), self.nodes[0])
        url = f"{self.url(node)}/api/runs/{run.id}/stop"
        eventually(lambda: self._session.post(url, json={}, timeout=60).status_code == 200)

    def url(self, node: Part) -> str:
        return f"http://127.0.0.1:{self.ports[node.name]}"

    def replenish(self, ended: Iterable[Watched]) -> None:
        """Begin anew what has ended, and let its viewers watch that."""
        for old in list(ended):
            if old not in self.runs:
                continue
            node = next((each for each in self.nodes if each.name == old.owner), None)
            worker = next((each for each in self.workers if each.name == old.owner), None)
            new = self.start_run(old.job, node or self.nodes[0], worker)
            self.crowd.move(old, new)
            self.runs[self.runs.index(old)] = new
            self.over.append(old)

    # What is looked at

    def records(self, node: Part) -> dict[str, dict[str, Any]]:
        """The records of all runs as a node tells them, by id."""
        found: dict[str, dict[str, Any]] = {}
        before = ""
        while True:
            answer = self._session.get(
                f"{self.url(node)}/api/runs?limit=100{before}", timeout=60
            ).json()
            found |= {record["id"]: record for record in answer["runs"]}
            if not answer["next"]:
                return found
            before = f"&before={answer['next']}"

    def stored(self) -> dict[str, int]:
        """Where the output of each run that goes on ends in Redis: all before is acknowledged."""
        return {run.id: manifest.end(self.client, run.id)[0] for run in self.runs}

    def viewer_faults(self) -> list[str]:
        return [fault for viewer in self.crowd.viewers for fault in viewer.faults]

    def at(self, part: Part, job: str | None = None) -> list[Watched]:
        """The runs that were started at a node or a worker."""
        return [run for run in self.runs if run.owner == part.name and job in (None, run.job)]

    def processes(self) -> list[psutil.Process]:
        """All that belongs here, also what has left its parent: nodes, keepers, runs."""
        own = {run.id for run in (*self.runs, *self.over, *self.guests)}
        return [
            process
            for process in psutil.process_iter(["environ", "cmdline"])
            if (process.info["environ"] or {}).get(TOKEN) == self.token
            or own & set(process.info["cmdline"] or ())
        ]

    def keeper(self, run: Watched) -> psutil.Process:
        """The keeper of a run in a process of its own; its environment is empty."""
        return next(
            process
            for process in psutil.process_iter(["cmdline"])
            if run.id in (process.info["cmdline"] or ())
        )

    def of_run(self, run: Watched) -> list[psutil.Process]:
        """The processes of a run in a process of its own, wherever they have gone."""
        return [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get("FLASK_REALTIME_RUN") == run.id
        ]

    def close(self) -> None:
        with ExitStack() as last:  # all of it, whatever goes wrong with one
            last.callback(shutil.rmtree, self._served)
            last.callback(self.place.close)
            last.callback(self.redis.stop)
            last.callback(self.client.close)
            for part in (*self.nodes, *self.workers):
                last.callback(part.stop)
            for worker in self.workers:
                last.callback(worker.ask_to_end, signal.SIGQUIT)  # TERM would wait for its runs
            for node in self.nodes:
                last.callback(node.ask_to_end)
            last.callback(self.nginx.stop)
            last.callback(self.crowd.close)
            last.callback(self._session.close)
