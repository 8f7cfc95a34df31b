"""Waiting until a replica has what the master was told: a failover then loses nothing of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from flask_realtime.store import redislink
from flask_realtime.store.redislink import replicate
from tests.support.patience import eventually
from tests.support.redisgroups import Group, Node, free_ports


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """A master, and a replica that is up to date."""
    with Group(tmp_path_factory.mktemp("replicas")) as group:
        master, replica = free_ports(2)
        group.add(master)
        group.add(replica, f"replicaof 127.0.0.1 {master}")
        with group.nodes[0].client() as client:
            eventually(lambda: _is_online(client.info("replication")))
        yield group.nodes[0], group.nodes[1]


def _is_online(state: dict[str, object]) -> bool:
    slave = state.get("slave0")
    return isinstance(slave, dict) and slave["state"] == "online"


def test_a_replica_that_lags_is_waited_for(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redislink, "REPLICATE_MS", 60_000)
    master, replica = nodes
    told: list[bool] = []
    replica.signal(signal.SIGSTOP)
    with master.client(socket_timeout=60) as writer, master.client(socket_timeout=60) as client:
        writer.set("x", "1")
        waits = threading.Thread(target=lambda: told.append(replicate(client, "free")))
        waits.start()
        with master.client() as other:
            eventually(lambda: other.info("clients")["blocked_clients"] == 1)
        assert told == []
        replica.signal(signal.SIGCONT)
        waits.join()
    assert told == [True]
    with replica.client() as reader:
        assert reader.get("x") == b"1"


def test_without_a_replica_nobody_waits(nodes: tuple[Node, Node]) -> None:
    master, replica = nodes
    replica.kill()
    with master.client() as client:
        eventually(lambda: client.info("replication")["connected_slaves"] == 0)
        assert not replicate(client, "free")
        assert not client.exists("free")
