"""Every byte, in order, once: whatever is done to the network, to Redis, to servers and clients.

A job prints a stream whose lines are numbered and carry the checksum of all before. It is followed
through the server that owns the run and through another one. SOAK_SECONDS=300 (`make soak`) goes on
for so long with faults in random order; otherwise each fault comes once.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flask_realtime.redisserver import RedisServer
from tests.programs.jobs.checksummed import stream
from tests.support.follower import Follower
from tests.support.forwarder import Forwarder
from tests.support.patience import eventually
from tests.support.server import Server

SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
PROGRESS_BYTES = 50_000  # that each follower gets between two faults
PATIENCE_SECONDS = 60.0


class Scene:
    """A Redis, the server that owns the run, another one, and who follows the run through them."""

    def __init__(self, redis: RedisServer, owner: Server, other: Server) -> None:
        self.redis = redis
        self.owner = owner
        self.other = other
        self.run = owner.start_run("checksummed")
        self.networks = [Forwarder(owner.port), Forwarder(owner.port), Forwarder(other.port)]
        ports = [network.port for network in self.networks]
        self.followers = [
            *(Follower(self.run, port) for port in ports),
            Follower(self.run, ports[0], ports[2]),  # now through this one, now through that one
            Follower(self.run, other.port),
        ]

    def close(self) -> None:
        for network in self.networks:
            network.mend()
        for follower in self.followers:
            follower.stop()
        for network in self.networks:
            network.close()

    def progress(self) -> None:
        """Wait until all have got a good piece more."""
        wanted = [len(follower.data) + PROGRESS_BYTES for follower in self.followers]
        eventually(
            lambda: all(
                follower.fault or len(follower.data) >= size
                for follower, size in zip(self.followers, wanted, strict=True)
            ),
            PATIENCE_SECONDS,
        )
        assert not [follower.fault for follower in self.followers if follower.fault]

    def more_is_printed(self, size: int = PROGRESS_BYTES) -> None:
        """Let the run go on by so many bytes, which some may not get now."""
        begin = self.printed()
        eventually(lambda: self.printed() >= begin + size, PATIENCE_SECONDS)

    def printed(self) -> int:
        size: int = self.owner.run_record(self.run)["output_bytes"]
        return size

    # What happens to them

    def cut_the_networks(self) -> None:
        for network in self.networks:
            network.cut()
        self.more_is_printed()
        for network in self.networks:
            network.mend()

    def silence_the_networks(self) -> None:
        for network in self.networks:
            network.silence()
        self.more_is_printed(500_000)
        for network in self.networks:
            network.mend()

    def hang_up(self) -> None:
        for follower in self.followers:
            follower.hang_up()

    def pause_the_clients(self) -> None:
        for follower in self.followers[::2]:
            follower.proceed.clear()
        self.more_is_printed(2_000_000)
        for follower in self.followers:
            follower.proceed.set()

    def throttle_the_clients(self) -> None:
        for follower in self.followers[::2]:
            follower.delay = 0.1
        self.more_is_printed(500_000)
        for follower in self.followers:
            follower.delay = 0.0

    def kill_redis(self) -> None:
        killed = self.redis.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: self.redis.pid not in (None, killed), PATIENCE_SECONDS)

    def hang_redis(self) -> None:
        pid = self.redis.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            eventually(lambda: self.owner.get("/readyz").status_code == 503, PATIENCE_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: self.owner.get("/readyz").status_code == 200, PATIENCE_SECONDS)

    def restart_the_other_server(self) -> None:
        self.other.restart()

    def kill_the_other_server(self) -> None:
        self.other.kill()
        self.more_is_printed()
        self.other.start()

    @property
    def faults(self) -> list[Callable[[], None]]:
        return [
            self.cut_the_networks,
            self.kill_redis,
            self.hang_up,
            self.silence_the_networks,
            self.kill_the_other_server,
            self.pause_the_clients,
            self.hang_redis,
            self.throttle_the_clients,
            self.restart_the_other_server,
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    common = {
        "ARCHIVE_URL": (tmp_path / "archive").as_uri(),
        "OUTPUT_HOT_MIB": "1",  # so that followers who were away read the archive
    }
    folders = [tmp_path / name for name in ("owner", "other")]
    for folder in folders:
        folder.mkdir()
    with RedisServer(tmp_path / "redis") as redis:
        common["REDIS_URL"] = redis.url
        with Server(folders[0], **common) as owner, Server(folders[1], **common) as other:
            made = Scene(redis, owner, other)
            yield made
            made.close()


def test_every_byte_comes_once_through_all_faults(scene: Scene) -> None:
    chance = random.Random(6)
    scene.progress()
    done = 0
    faults = scene.faults
    end = time.monotonic() + SOAK_SECONDS
    while done < len(faults) or time.monotonic() < end:
        fault = faults[done] if done < len(faults) else chance.choice(faults)
        print(fault.__name__, flush=True)
        fault()
        scene.progress()
        done += 1
    eventually(lambda: scene.owner.post(f"/api/runs/{scene.run}/stop").status_code == 200)
    record = eventually(lambda: _ended(scene), PATIENCE_SECONDS)
    assert record["state"] == "stopped"
    total = record["output_bytes"]
    for follower in scene.followers:
        eventually(
            lambda each=follower: each.fault or len(each.data) >= total,  # type: ignore[misc]
            PATIENCE_SECONDS,
        )
        assert not follower.fault
        assert follower.connections > 1
    printed = stream(record["output_lines"])
    assert len(printed) == total
    for follower in scene.followers:
        assert follower.data == printed
    for server in (scene.owner, scene.other):
        assert server.output(scene.run) == printed


def _ended(scene: Scene) -> dict[str, object] | None:
    record = scene.owner.run_record(scene.run)
    return record if record.get("ended") else None
