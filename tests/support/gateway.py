"""The project's own nginx, as nginx/start.sh starts it without Docker, before several nodes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import free_port

USER = "www-data"  # that nginx becomes where root starts it


def gateway_command() -> list[str]:
    return ["sh", str(ROOT / "nginx" / "start.sh")]


def gateway_environ(folder: Path, port: int, nodes: Sequence[int]) -> dict[str, str]:
    """What start.sh is told; `nodes` are ports of this machine, as `port` is."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    assert shutil.which("nginx", path=path), (
        "nginx is not installed: tools/install_test_system.sh does it"
    )
    return {
        "PATH": path,
        "NODES": ",".join(f"127.0.0.1:{node}" for node in nodes),
        "TARGET": str(folder),
        "ASSETS": str(ROOT / "flask_realtime" / "static" / "dist"),
        "RUN_AS": USER,
        "HTTP_LISTEN": f"127.0.0.1:{port}",
        "HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
    }


class Gateway:
    """nginx in front of nodes of this machine."""

    def __init__(self, nodes: Sequence[int], port: int = 0) -> None:
        self.port = port or free_port()
        self._nodes = nodes
        # Not below pytest's own folder, which is for the user that runs the tests alone.
        self._folder = Path(tempfile.mkdtemp(prefix="gateway-"))
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Gateway:
        self._folder.chmod(0o755)
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                gateway_command(),
                env=gateway_environ(self._folder, self.port, self._nodes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self._listens)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(60)
