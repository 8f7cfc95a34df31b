"""A real Prometheus, as examples/monitoring configures it, reads a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server, free_port

EXAMPLES = ROOT / "examples" / "monitoring"
TOKEN = "invented-token-0123456789"


@contextmanager
def prometheus(folder: Path, target: str, token: str) -> Iterator[str]:
    """Run one that asks `target`; yield its address."""
    program = shutil.which("prometheus")
    if program is None and not os.environ.get("CI"):
        pytest.skip("Prometheus is not installed: tools/install_test_system.sh does it")
    assert program is not None
    (folder / "metrics_token").write_text(token)
    text = (EXAMPLES / "prometheus.yml").read_text("utf-8")
    for old, new in (
        ('"web-1.internal:5000", "web-2.internal:5000"', f'"{target}"'),
        ("/etc/prometheus/metrics_token", str(folder / "metrics_token")),
        ("scrape_interval: 15s", "scrape_interval: 1s"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    shutil.copy(EXAMPLES / "alerts.yml", folder)
    port = free_port()
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/db",
    ]
    command += [f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def asked(url: str, query: str) -> list[float]:
    try:
        answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=60)
    except requests.ConnectionError:  # it has just been started
        return []
    if answer.status_code == 503:  # it reads what it has
        return []
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return [float(each["value"][1]) for each in found]


def test_it_reads_the_figures_of_a_server(tmp_path: Path) -> None:
    with Server(tmp_path, METRICS_TOKEN=TOKEN) as server:
        server.ended(server.start_run("exact"))
        (tmp_path / "prometheus").mkdir()
        target = f"127.0.0.1:{server.port}"
        with prometheus(tmp_path / "prometheus", target, TOKEN) as url:
            eventually(lambda: asked(url, "up") == [1])
            assert asked(url, 'flask_realtime_runs{state="succeeded"}') == [1]
            assert asked(url, 'flask_realtime_active_runs{job_name="exact",state="running"}') == [0]
            assert asked(url, "flask_realtime_output_bytes_total")[0] > 1_000_000
            rules = requests.get(f"{url}/api/v1/rules", timeout=60).json()["data"]["groups"]
            assert [rule["health"] for rule in rules[0]["rules"] if rule["health"] == "err"] == []


def test_with_a_wrong_token_it_reads_nothing(tmp_path: Path) -> None:
    with Server(tmp_path, METRICS_TOKEN=TOKEN) as server:
        (tmp_path / "prometheus").mkdir()
        target = f"127.0.0.1:{server.port}"
        with prometheus(tmp_path / "prometheus", target, "wrong") as url:
            eventually(lambda: asked(url, "up") == [0])
            assert asked(url, "flask_realtime_runs") == []
