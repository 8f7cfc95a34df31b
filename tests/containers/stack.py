"""The containers of a clone, through docker-compose, for tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import requests

from tests.support.apiclient import ApiClient
from tests.support.patience import eventually
from tests.support.server import free_port

ROOT = Path(__file__).resolve().parents[2]
UP_SECONDS = 60.0  # from `up` to an answer, images built


def compose_command() -> list[str]:
    """Version 1 where it is there, else the plugin of version 2; COMPOSE names another command."""
    if "COMPOSE" in os.environ:
        return os.environ["COMPOSE"].split()
    return ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]


def copy_of_clone(folder: Path) -> Path:
    """Copy what git knows of the project, as it is now, and nothing that is built or configured."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


class Stack(ApiClient):
    """The containers of the project in `folder`, under a name and on a port of their own.

    `environ` is what the shell would have set for docker-compose. The `with` block ends with
    everything removed: containers, networks, volumes.
    """

    def __init__(self, folder: Path, file: str = "docker-compose-dev.yml", **environ: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.name = f"test{uuid.uuid4().hex[:8]}"
        self.files = [file]
        # Tests that do not say otherwise look at what runs in the service `flask`.
        self.environ = {"PORT": str(self.port), "EXECUTOR": "thread", **environ}

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is not None:
                print(self.compose("logs", "--no-color", "--tail", "60", check=False))
        finally:
            self.compose("down", "--volumes", "--timeout", "5")
            self.remove_data()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def run(self, *arguments: str, seconds: float = 200) -> subprocess.CompletedProcess[str]:
        files = [part for file in self.files for part in ("-f", file)]
        return subprocess.run(
            [*compose_command(), "-p", self.name, *files, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )

    def compose(self, *arguments: str, check: bool = True, seconds: float = 200) -> str:
        """Run docker-compose; return all that it says."""
        done = self.run(*arguments, seconds=seconds)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}"
        return done.stdout

    def up(self, *options: str) -> None:
        self.compose("up", "-d", *options)
        self.wait_ready()

    def wait_ready(self, seconds: float = UP_SECONDS) -> None:
        eventually(lambda: self.status("/readyz") == 200, seconds)

    def status(self, path: str) -> int | None:
        """The status of an answer; None while nobody answers."""
        try:
            return self.get(path).status_code
        except requests.ConnectionError:
            return None

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, **{"timeout": 20, "allow_redirects": False, **options})

    def state(self, run: str) -> str | None:
        """The state of a run; None while the server does not answer."""
        try:
            response = self.get(f"/api/runs/{run}")
        except requests.ConnectionError:
            return None
        state: str | None = response.json()["state"] if response.status_code == 200 else None
        return state

    def containers(self, service: str) -> list[str]:
        """The ids of the service's containers, those that ended included."""
        listed = subprocess.run(
            [
                *("docker", "ps", "--all", "--quiet", "--no-trunc"),
                *("--filter", f"label=com.docker.compose.project={self.name}"),
                *("--filter", f"label=com.docker.compose.service={service}"),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return listed.stdout.split()

    def inspect(self, service: str) -> list[dict[str, Any]]:
        """What the engine knows of each container of the service."""
        shown = docker("inspect", *self.containers(service))
        found: list[dict[str, Any]] = json.loads(shown)
        return found

    def is_running(self, service: str) -> bool:
        """Whether a container of the service runs; what was never created does not."""
        if not self.containers(service):
            return False
        return any(each["State"]["Running"] for each in self.inspect(service))

    def python(self, code: str, service: str = "flask") -> str:
        """Run a Python program in a container, as its user; return what it prints."""
        return self.compose("exec", "-T", "-u", "app", service, "python", "-c", code)

    def beside_nginx(self, code: str) -> str:
        """Run a Python program in a container of its own, in the network of nginx and flask."""
        return docker(
            *("run", "--rm", "--network", f"{self.name}_front", "--entrypoint", "python"),
            *("app-flask", "-c", code),
        )

    def log(self, *services: str) -> str:
        return self.compose("logs", "--no-color", *services)

    def remove_data(self) -> None:
        """Redis' data belong to its own user."""
        if (self.folder / "redis_data").exists():
            docker(
                *("run", "--rm", "--entrypoint", "sh", "-v", f"{self.folder}:/clone"),
                *("app-redis", "-c", "rm -rf /clone/redis_data"),
            )


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout
