"""Two servers over a Redis that Sentinels watch: its master dies, and no byte of a run is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.support.pairs import both_have, pair_of_servers, stopped_from_the_other
from tests.support.patience import eventually
from tests.support.redisgroups import WatchedByThree
from tests.support.server import Server


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedByThree]:
    with WatchedByThree(tmp_path_factory.mktemp("sentinel")) as running:
        yield running


@pytest.fixture
def servers(
    redis: WatchedByThree, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    with pair_of_servers(tmp_path_factory.mktemp("servers"), redis.url) as pair:
        yield pair


def test_the_master_dies_in_the_middle_of_runs(
    redis: WatchedByThree, servers: tuple[Server, Server]
) -> None:
    one, other = servers
    lines = 40_000
    ends = one.start_run("numbered", lines=lines, pause_every=200)
    stopped = one.start_run("numbered", lines=10**9, pause_every=10)
    eventually(lambda: other.run_record(ends)["output_bytes"] > 100_000)
    redis.master.kill()
    assert one.get("/healthz").status_code == 200
    assert one.ended(ends)["state"] == "succeeded"
    eventually(lambda: redis.named() == redis.replica.port)  # by that Sentinel, too
    both_have(servers, ends, lines)
    stopped_from_the_other(servers, stopped)  # what one tells the other is heard again as well
    assert other.ended(other.start_run("greet"))["state"] == "succeeded"


def test_a_replica_that_misses_the_newest_is_given_it_by_the_owner(
    redis: WatchedByThree, servers: tuple[Server, Server]
) -> None:
    one, other = servers
    lines = 4_000
    run = one.start_run("numbered", lines=lines, pause_every=20)
    eventually(lambda: len(other.output(run)) > 10_000)
    redis.replica.signal(signal.SIGSTOP)
    with redis.master.client() as client:
        client.execute_command("CLIENT KILL TYPE replica")
    behind = len(other.output(run))
    eventually(lambda: len(other.output(run)) > behind + 20_000)
    late = one.start_run("numbered", lines=10**9, pause_every=10)
    redis.master.kill()
    redis.replica.signal(signal.SIGCONT)
    assert one.ended(run)["state"] == "succeeded"
    both_have(servers, run, lines)
    # Of this one the new master knew nothing.
    eventually(lambda: other.get(f"/api/runs/{late}").status_code == 200)
    assert late in [each["id"] for each in other.get("/api/runs").json()["runs"]]
    stopped_from_the_other(servers, late)
