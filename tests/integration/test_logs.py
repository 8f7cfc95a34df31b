"""The log of a server under load, as JSON: each line is an object, and no job's output is there."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.gateway import Gateway
from tests.support.patience import eventually
from tests.support.server import Server, misconfigured
from tests.support.socketclient import ordered_client


class LoudServer(Server):
    """Its log without the one traceback that is asked for: no other may be there."""

    @property
    def log(self) -> str:
        lines = super().log.splitlines()
        return "\n".join(line for line in lines if not line.endswith('broken on purpose"}'))


def entries(server: Server) -> list[dict[str, Any]]:
    """All that the server has written, both of its streams; each line an object."""
    return [json.loads(line) for line in server._log.read_bytes().split(b"\n")[:-1]]


def by_logger(server: Server, name: str) -> list[dict[str, Any]]:
    return [each for each in entries(server) if each["logger"] == name]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that was stopped after runs, failures, refusals and a Redis that died under it."""
    folder = tmp_path_factory.mktemp("server")
    settings = {"LOG_FORMAT": "json", "ACCESS_LOG": "json", "LOG_LEVEL": "debug", "MAX_RUNS": "8"}
    with LoudServer(folder, **settings) as server:
        jobs = [("log_lines", {"lines": 200}), ("exact", {}), ("secretive", {}), ("count", {})]
        runs = [server.start_run(name, **params) for name, params in 3 * jobs]
        client = ordered_client()
        client.connect(server.url)
        for run in runs:
            client.call("attach", {"run": run, "offset": 0})
            client.call("attach", {"run": 7})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(server.get, 20 * ["/api/runs", "/nothing\u2028", "/api/runs/none"]))
        server.get("/", headers={"Host": "evil.example"})
        for run in runs:
            server.ended(run)
        client.disconnect()
        server.kill_redis()
        eventually(lambda: "Redis cannot be used" in server.log)
        eventually(lambda: "Redis answers again" in server.log)
        outputs = [server.output(run) for run in runs if server.run_record(run)["job"] == "exact"]
        assert len(outputs) == 3
    return server


def test_each_line_is_an_object(loaded: Server) -> None:
    found = entries(loaded)
    assert len(found) >= 25
    for entry in found:
        assert {"time", "level", "logger", "message", "node", "pid"} <= set(entry)


def test_no_output_of_a_job_is_in_it(loaded: Server) -> None:
    for said in (
        "logged",
        "printed",
        "warned",
        "ZeroDivision",
        "markup",
        "invented-secret",
        "no newline",
    ):
        assert said not in loaded.log


def test_a_traceback_is_a_field(loaded: Server) -> None:
    (broken,) = [each for each in by_logger(loaded, _JOBS) if "exception" in each]
    assert broken["exception"].endswith("RuntimeError: this file is broken on purpose")


def test_what_is_about_a_run_names_it(loaded: Server) -> None:
    told = [each for each in entries(loaded) if each["message"].startswith("run ")]
    assert len(told) >= 24
    for entry in told:
        assert entry["run"] in entry["message"]
        assert entry["user"] == "local"


def test_requests_are_in_it_with_their_id_and_user(loaded: Server) -> None:
    access = by_logger(loaded, "access")
    listed = [each for each in access if each["target"] == "/api/runs" and each["method"] == "GET"]
    assert len(listed) == 20
    assert len({each["request_id"] for each in access}) == len(access)
    assert {each["user"] for each in listed} == {"local"}
    refused = [each for each in entries(loaded) if each["message"].startswith("refused")]
    assert [each["request_id"] for each in refused] == [
        each["request_id"] for each in access if each["status"] == 421
    ]


def test_what_a_job_logs_is_output_of_its_run(tmp_path: Path) -> None:
    for form in ("text", "json"):
        (tmp_path / form).mkdir()
        with Server(tmp_path / form, LOG_FORMAT=form) as server:
            run = server.start_run("log_lines", lines=3)
            server.ended(run)
            output = server.output(run).decode()
            assert not [word for word in ("logged", "printed", "warned") if word in server.log]
        assert "WARNING invented.job: logged 2 by the job\n" in output
        assert "printed 2 by the job\n" in output
        assert "UserWarning: warned by the job" in output
        assert "ZeroDivisionError" in output
        assert output.rstrip().endswith("LookupError: raised\nby the job")


def test_a_request_has_the_id_that_a_proxy_gave_it_and_no_other_client(tmp_path: Path) -> None:
    named = {"X-Request-ID": "named-1", "X-Forwarded-For": "192.0.2.7"}
    for proxies in ("127.0.0.1,::1", ""):
        folder = tmp_path / f"server{len(proxies)}"
        folder.mkdir()
        settings = {"TRUSTED_PROXIES": proxies, "ACCESS_LOG": "json", "LOG_FORMAT": "json"}
        with Server(folder, **settings) as server:
            answer = server.get("/api/runs", headers=named)
            given = answer.headers["X-Request-ID"]
            assert (given == "named-1") == bool(proxies)
            (entry,) = eventually(lambda: by_logger(server, "access"))
            assert (entry["request_id"], entry["user"]) == (given, "local")


def test_nginx_gives_a_request_its_id_and_publishes_no_metrics(tmp_path: Path) -> None:
    token = "invented-token-0123456789"
    settings = {"TRUSTED_PROXIES": "127.0.0.1,::1", "ACCESS_LOG": "json", "LOG_FORMAT": "json"}
    with (
        Server(tmp_path, METRICS_TOKEN=token, **settings) as server,
        Gateway([server.port]) as gateway,
    ):
        answer = requests.get(
            f"{gateway.url}/api/runs", headers={"X-Request-ID": "forged"}, timeout=60
        )
        given = answer.headers["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", given)
        eventually(lambda: given in [each["request_id"] for each in by_logger(server, "access")])
        eventually(lambda: f"s {given}" in gateway.log)
        reader = {"Authorization": f"Bearer {token}"}
        assert server.get("/metrics", headers=reader).status_code == 200
        assert requests.get(f"{gateway.url}/metrics", headers=reader, timeout=60).status_code == 404


def test_why_it_does_not_start_is_an_entry_too(tmp_path: Path) -> None:
    code, said = misconfigured(
        LOG_FORMAT="json",
        LOGIN="none",
        REDIS_URL="redis://localhost:1/0",
        INSTANCE_PATH=str(tmp_path),
    )
    (entry,) = map(json.loads, said.splitlines())
    assert code == 2
    assert entry["message"].startswith("REDIS_URL: ")


_JOBS = "flask_realtime.jobsfolder.jobsfolder"
