"""Two servers over Sentinels and over a cluster that speak TLS only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pairs import both_have, pair_of_servers, stopped_from_the_other
from tests.support.patience import eventually
from tests.support.redisgroups import Cluster, Group, Tls, WatchedByThree

GROUPS = {
    "sentinels": lambda folder, tls: WatchedByThree(folder, tls),
    "cluster": lambda folder, tls: Cluster(folder, tls=tls),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_two_servers_share_runs(kind: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("certificates", "redis", "servers")]
    for folder in folders:
        folder.mkdir()
    group: Group
    with (
        GROUPS[kind](folders[1], Tls(folders[0])) as group,
        pair_of_servers(folders[2], group.url) as servers,
    ):
        one, other = servers
        run = one.start_run("numbered", lines=1000)
        assert other.ended(run)["state"] == "succeeded"
        both_have(servers, run, 1000)
        late = one.start_run("numbered", lines=10**9, pause_every=10)
        eventually(lambda: len(other.output(late)) > 10_000)
        stopped_from_the_other(servers, late)
