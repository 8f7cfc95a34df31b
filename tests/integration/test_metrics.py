"""GET /metrics: who may read it, and what it tells of a server at work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

import app.figures as figures_module
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

TOKEN = "invented-token-0123456789"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, METRICS_TOKEN=TOKEN, MAX_RUNS="2", TRUSTED_PROXIES="192.0.2.1") as running:
        yield running


def figures(server: Server) -> Figures:
    """What /metrics says: by name and labels."""
    answer = server.get("/metrics", headers=WITH_TOKEN)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(found: Figures, name: str, **labels: str) -> float:
    return found[f"flask_realtime_{name}", frozenset(labels.items())]


def test_nobody_reads_it_without_the_token(measured: Server, server: Server) -> None:
    nobodies: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer ümläut"},
    ]
    for headers in nobodies:
        raw = {name: text.encode("latin-1") for name, text in headers.items()}
        assert requests.get(f"{measured.url}/metrics", headers=raw, timeout=60).status_code == 404
    assert measured.get(f"/metrics?token={TOKEN}").status_code == 404
    assert measured.post("/metrics", headers=WITH_TOKEN).status_code in (403, 404, 405)
    assert server.get("/metrics", headers=WITH_TOKEN).status_code == 404  # it has no METRICS_TOKEN
    assert server.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_it_is_answered_under_any_name(measured: Server) -> None:
    """As a Prometheus asks: by the address of the process, past the proxies."""
    named = {**WITH_TOKEN, "Host": "10.1.2.3:5000"}
    assert measured.get("/metrics", headers=named).status_code == 200
    assert measured.get("/", headers={"Host": "10.1.2.3:5000"}).status_code == 421


def test_a_server_at_work_is_told_of(measured: Server) -> None:
    client = ordered_client()
    client.connect(measured.url)
    runs = [measured.start_run("count", lines=10_000, delay_ms=100) for _ in range(3)]
    for run in runs[:2]:
        client.call("attach", {"run": run, "offset": 0})
    eventually(lambda: value(figures(measured), "own_runs", state="running") == 2)
    found = figures(measured)
    assert value(found, "connections") == 1
    assert value(found, "viewers") == 2
    assert value(found, "runs", state="running") == 2
    assert value(found, "runs", state="queued") == 1
    assert value(found, "active_runs", job_name="count", executor="thread", state="running") == 2
    assert value(found, "active_runs", job_name="count", executor="thread", state="queued") == 1
    assert value(found, "redis_up") == 1
    assert value(found, "archive_up", side="write") == 1
    for run in runs:
        measured.post(f"/api/runs/{run}/stop")
    ends = [measured.ended(run)["output_bytes"] for run in runs]
    client.disconnect()
    eventually(lambda: value(figures(measured), "viewers") == 0)
    found = figures(measured)
    assert value(found, "connections") == 0
    assert value(found, "runs", state="stopped") == 3
    assert value(found, "unsettled_outputs") == 3
    assert value(found, "output_bytes_total") == sum(ends)
    assert value(found, "hot_output_bytes") == 0


def test_times_are_told_by_route_and_never_by_path(measured: Server) -> None:
    for path in ("/api/jobs", "/invented/path", "/api/runs/none"):
        measured.get(path)
    found = figures(measured)
    labels = {"route": "realtime_api.jobs", "method": "GET", "code": "200"}
    assert value(found, "http_request_seconds_count", **labels) >= 1
    nowhere = {"route": "none", "method": "any", "code": "404"}
    assert value(found, "http_request_seconds_count", **nowhere) >= 1
    assert not [labels for _, labels in found if "invented" in str(labels)]


def test_the_process_and_its_hub_are_told_of(measured: Server) -> None:
    def lag() -> float:
        return value(figures(measured), "hub_lag_seconds_count")

    before = lag()
    eventually(lambda: lag() > before)
    found = figures(measured)
    assert found["process_resident_memory_bytes", frozenset()] > 1 << 20
    assert found["process_cpu_seconds_total", frozenset()] > 0


def test_it_needs_no_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(figures_module, "version", absent)
    assert figures_module._version() == "not installed"


def test_while_redis_is_away_it_says_so(tmp_path: Path) -> None:
    with Server(tmp_path, METRICS_TOKEN=TOKEN) as server:
        redis = server.redis_process()
        redis.suspend()
        try:
            eventually(lambda: value(figures(server), "redis_up") == 0)
            found = figures(server)
            assert value(found, "own_runs", state="running") == 0
            assert ("flask_realtime_runs", frozenset({("state", "running")})) not in found
        finally:
            redis.resume()
        eventually(lambda: value(figures(server), "redis_up") == 1)
