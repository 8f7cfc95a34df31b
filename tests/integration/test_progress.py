"""How far runs are: bars of real programs, and what jobs say, in the records of runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client


def progress_at_the_half(server: Server, run: str) -> dict[str, Any] | None:
    """What the record says while the run waits for an answer at its half; then let it go on."""
    eventually(lambda: server.run_record(run)["waiting"])
    seen: dict[str, Any] | None = eventually(lambda: server.run_record(run)["progress"])
    assert server.post(f"/api/runs/{run}/input", {"data": "y\n"}).status_code == 200
    return seen


@pytest.mark.parametrize(
    ("job", "source", "label", "half"),
    [
        ("says_progress", "job", "password ***", 50),
        ("says_progress_apart", "job", "password ***", 50),
        ("draws_tqdm", "tqdm", "outer", 50),
        ("draws_tqdm_apart", "tqdm", "outer", 50),
        ("draws_rich", "rich", "copying", 50),
    ],
)
def test_the_progress_of_a_run(
    server: Server, job: str, source: str, label: str, half: float
) -> None:
    run = server.start_run(job)
    seen = progress_at_the_half(server, run)
    assert seen is not None
    assert (seen["source"], seen["label"], seen["percent"]) == (source, label, half)
    assert set(seen) == {"percent", "done", "total", "eta_seconds", "source", "label"}
    record = server.ended(run)
    assert record["state"] == "succeeded"
    assert (record["progress"]["percent"], record["progress"]["source"]) == (100, source)
    listed = server.get(f"/api/runs?job={job}").json()["runs"][0]
    assert listed["progress"] == record["progress"]


def test_progress_is_told_to_those_who_watch(server: Server) -> None:
    client = ordered_client()
    told: list[dict[str, Any] | None] = []
    client.on("status", lambda event: told.append(event["run"]["progress"]))
    client.connect(server.url, transports=["websocket"])
    run = client.call("start", {"job": "draws_tqdm", "params": {"steps": 40}})["run"]["id"]
    eventually(lambda: told[-1] is not None and told[-1]["percent"] == 50)
    client.call("input", {"run": run, "data": "\n"})
    eventually(lambda: told[-1] is not None and told[-1]["percent"] == 100)
    client.disconnect()
    server.ended(run)


def test_text_that_says_percent_is_no_progress(server: Server) -> None:
    run = server.start_run("says_percent")
    eventually(lambda: server.run_record(run)["waiting"])
    server.post(f"/api/runs/{run}/input", {"data": "y\n"})
    assert server.ended(run)["progress"] is None
