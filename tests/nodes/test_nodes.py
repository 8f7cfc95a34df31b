"""Any node shows, stops and answers any run, and each of them may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from tests.nodes.fleet import Fleet, Load, has_all, progress
from tests.programs.jobs.checksummed import stream

RUNS = 3  # of a process that is none of the nodes
VIEWERS = 10  # of each of them
LOST_SECONDS = 30  # design.md


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        yield made


@pytest.fixture
def load(fleet: Fleet) -> Iterator[Load]:
    with Load(fleet) as made:
        yield made


def test_viewers_of_nodes_that_are_killed_in_turn_get_every_byte_once(
    fleet: Fleet, load: Load
) -> None:
    runs = load.start_runs(RUNS)
    followers = {run: load.follow(run, VIEWERS) for run in runs}
    everybody = [each for found in followers.values() for each in found]
    progress(everybody)
    killed = {}
    for node in fleet.nodes:
        own = node.start_run("checksummed", lines_per_second=1000)
        watching = load.follow(own, 2)
        progress(watching)
        node.kill()
        killed[own] = datetime.now(timezone.utc), watching
        progress(everybody)
        node.start()
        progress(everybody)
    assert all(each.connections > 1 for each in everybody)
    for own, (when, watching) in killed.items():
        record = fleet.ended(own)
        assert record["state"] == "lost"
        ended = datetime.fromisoformat(record["ended"].replace("Z", "+00:00"))
        assert ended < when + timedelta(seconds=LOST_SECONDS)
        kept = fleet.get(f"/api/runs/{own}/output").content
        assert len(kept) == record["output_bytes"] >= 50_000
        assert stream(record["output_lines"] + 1).startswith(kept)
        for follower in watching:  # who watched at the owner may have seen more than is kept
            assert bytes(follower.data).startswith(kept)
            load.let_go(follower)
    for run in runs:
        has_all(fleet, run, followers[run])


def test_a_page_that_polls_finds_its_own_node_and_goes_to_another_one_after_it(
    fleet: Fleet,
) -> None:
    address = f"{fleet.url}/socket.io/?EIO=4&transport=polling"
    with requests.Session() as visitor:
        sid = visitor.get(address, timeout=60).text.split('"sid":"')[1].split('"')[0]
        for _ in range(2 * len(fleet.nodes)):
            assert visitor.post(f"{address}&sid={sid}", data="40", timeout=60).status_code == 200
        cookie = visitor.cookies["realtime_server"].strip('"')
        own = next(node for node in fleet.nodes if cookie.endswith(f":{node.port}"))
        own.kill()
        begun = visitor.get(address, timeout=60)
        assert begun.status_code == 200
        assert cookie not in begun.headers["Set-Cookie"]
        own.start()
        # What is no node's address is not even tried.
        visitor.cookies.clear()
        answer = visitor.get(address, headers={"Cookie": "realtime_server=127.0.0.1:1"}, timeout=60)
        assert answer.status_code == 200
