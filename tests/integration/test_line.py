"""Runs in line, as clients of a real server see them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server

ENDLESS = {"lines": 1_000_000, "delay_ms": 10}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("narrow")
    with Server(folder, MAX_RUNS="1", MAX_QUEUED="2") as server:
        yield server


def test_a_run_in_line_is_followed_from_before_it_begins(narrow: Server) -> None:
    first = narrow.start_run("count", **ENDLESS)
    second = narrow.start_run("greet", name="Ada")
    record = narrow.run_record(second)
    assert (record["state"], record["queue_position"]) == ("queued", 1)
    assert (record["started"], record["output_bytes"]) == (None, 0)
    followed: list[bytes] = []
    viewer = threading.Thread(
        target=lambda: followed.append(narrow.get(f"/api/runs/{second}/output?follow=1").content)
    )
    viewer.start()
    assert [run["id"] for run in narrow.get("/api/runs?state=queued").json()["runs"]] == [second]
    narrow.post(f"/api/runs/{first}/stop")
    assert narrow.ended(second)["state"] == "succeeded"
    viewer.join(60)
    assert followed == [narrow.output(second)]
    assert followed[0]


def test_a_full_line_refuses_and_says_why(narrow: Server) -> None:
    runs = [narrow.start_run("count", **ENDLESS) for _ in range(3)]
    refused = narrow.post("/api/runs", {"job": "greet"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_runs")
    assert (
        "1 runs are active, and this one has to wait (MAX_RUNS), but 2 wait already"
        in refused.json()["detail"]
    )
    for run in reversed(runs):  # those in line leave it without having begun
        assert narrow.post(f"/api/runs/{run}/stop").status_code == 200
    states = [narrow.ended(run) for run in runs]
    assert [record["state"] for record in states] == ["stopped"] * 3
    assert [record["started"] is None for record in states] == [False, True, True]
