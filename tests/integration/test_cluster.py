"""Two servers over a cluster of Redis: one of its masters dies, and no byte of a run is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_realtime.store import keys
from tests.support.pairs import both_have, pair_of_servers, stopped_from_the_other
from tests.support.patience import eventually
from tests.support.redisgroups import Cluster
from tests.support.redisrights import documented_rule_for_clusters, refusals, with_user
from tests.support.server import Server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three masters, each with a replica; the servers have a user of few rights."""
    rule = documented_rule_for_clusters()
    with Cluster(tmp_path_factory.mktemp("cluster"), 1, rule) as running:
        assert isinstance(running, Cluster)
        yield running


@pytest.fixture(scope="module")
def servers(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    with pair_of_servers(tmp_path_factory.mktemp("servers"), with_user(cluster.url)) as pair:
        yield pair


def test_slots_move_in_the_middle_of_runs(cluster: Cluster, servers: tuple[Server, Server]) -> None:
    """What resharding does: that of a run's output, there and back, and that of all records."""
    one, other = servers
    run = one.start_run("numbered", lines=10**9, pause_every=10)
    eventually(lambda: len(other.output(run)) > 10_000)
    for key in (keys.output(run), keys.output(run), keys.ACTIVE):
        home = cluster.master_of(key)
        before = len(other.output(run))
        assert cluster.move_slot_of(key, next(each for each in cluster.masters() if each != home))
        assert other.ended(other.start_run("greet"))["state"] == "succeeded"
        eventually(lambda before=before: len(other.output(run)) > before)
        assert one.get("/readyz").status_code == 200
    # They listen where who sends them something learns that they do.
    with cluster.master_of(keys.BUS).client() as client:
        eventually(lambda: client.pubsub_numsub(keys.BUS) == [(keys.BUS.encode(), len(servers))])
    stopped_from_the_other(servers, run)


@pytest.mark.parametrize("part", ["of the output", "of the records"])
def test_a_master_dies_in_the_middle_of_runs(
    cluster: Cluster, servers: tuple[Server, Server], part: str
) -> None:
    one, other = servers
    lines = 30_000
    shared = cluster.master_of(keys.ACTIVE)
    while True:
        ends = one.start_run("numbered", lines=lines, pause_every=200)
        owner = cluster.master_of(keys.output(ends))
        if (owner is shared) == (part == "of the records"):
            break
    stopped = one.start_run("numbered", lines=10**9, pause_every=10)
    eventually(lambda: other.run_record(ends)["output_bytes"] > 100_000)
    owner.kill()
    assert one.get("/healthz").status_code == 200
    assert one.ended(ends)["state"] == "succeeded"
    both_have(servers, ends, lines)
    stopped_from_the_other(servers, stopped)  # what one tells the other is heard again as well
    listed = other.get("/api/runs?state=succeeded").json()["runs"]
    assert ends in [run["id"] for run in listed]
    assert refusals(cluster) == []
