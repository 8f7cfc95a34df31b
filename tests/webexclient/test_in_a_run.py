"""list_spaces as a run of the real server: its output, its end, its stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.webexsandbox import Sandbox

JOBS = Path(__file__).parent / "jobs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("webexjobs"), JOBS_PATH=str(JOBS)) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(spaces=6, messages=40) as running:
        yield running


def test_its_lines_are_the_output_of_the_run(server: Server, sandbox: Sandbox) -> None:
    run = server.start_run("spaces", url=sandbox.api_url)
    assert server.ended(run)["state"] == "succeeded"
    lines = server.output(run).decode().splitlines()
    assert lines[0] == "6 spaces of Ada Example"
    assert [line[:6] for line in lines[1:7]] == [f"[{n}/6] " for n in range(1, 7)]
    assert lines[7].startswith("6 of 6 spaces: 240 messages, oldest 20")
    assert len(lines) == 8


def test_a_login_that_has_ended_is_a_sentence_and_no_traceback(
    server: Server, sandbox: Sandbox
) -> None:
    run = server.start_run("spaces", url=sandbox.api_url, token="no-such-token")
    record = server.ended(run)
    assert record["state"] == "failed"
    assert "Log in with Webex again" in record["exit"]["reason"]
    output = server.output(run).decode()
    assert output.strip() == record["exit"]["reason"]
    assert "no-such-token" not in output + server.log
    assert "never retrieved" not in server.log


def test_stop_ends_it_at_once_while_webex_hangs(server: Server, sandbox: Sandbox) -> None:
    sandbox.faults({"match": {"path": "/v1/messages"}, "after": 2, "do": "hang"})
    run = server.start_run("spaces", url=sandbox.api_url)
    eventually(lambda: sandbox.control()["in_flight"] >= 4)
    began = time.monotonic()
    server.post(f"/api/runs/{run}/stop")
    assert server.ended(run)["state"] == "stopped"
    assert time.monotonic() - began < 5
    assert "Stopped after 2 of 6 spaces." in server.output(run).decode()
    eventually(lambda: sandbox.control()["in_flight"] == 0)
