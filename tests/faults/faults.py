"""The faults: each strikes a fleet, says which runs may end by it, and is mended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.faults.aftermath import Struck
from tests.faults.expected import LINE_BYTES
from tests.faults.fleet import Fleet
from tests.support.patience import eventually

FAILED = frozenset({"failed"})
LOST = frozenset({"lost"})
RUNNING = frozenset({"running"})
STOPPED = frozenset({"stopped"})
SUCCEEDED = frozenset({"succeeded"})


@dataclass(frozen=True)
class Fault:
    """`strike(fleet, seconds)` does it; `mend` comes when all is right with the rest.

    One that passes by itself lasts for `seconds`, and is over when `strike` returns.
    """

    name: str
    strike: Callable[[Fleet, float], Struck]
    seconds: float = 0.0
    soak_seconds: float = 0.0  # ... by `make soak`
    mend: Callable[[Fleet], None] | None = None


def kill_nginx(fleet: Fleet, seconds: float) -> Struck:
    fleet.nginx.kill_all()
    since = time.monotonic()
    fleet.nginx.start()
    return Struck({}, since)


def kill_redis(fleet: Fleet, seconds: float) -> Struck:
    """A run of a worker is stopped as soon as it is back: the broker was away as well."""
    fleet.redis.kill()
    since = time.monotonic()
    fleet.redis.start()
    eventually(lambda: _readiness(fleet) == 200)
    (stopped,) = fleet.at(fleet.workers[0], "steady_at_w0")
    fleet.stop_run(stopped)
    return Struck({stopped: STOPPED}, since)


def kill_process(fleet: Fleet, seconds: float) -> Struck:
    run = fleet.at(fleet.nodes[0], "steady_apart")[0]
    for process in fleet.of_run(run):
        process.kill()
    return Struck({run: FAILED}, time.monotonic())


def kill_keeper(fleet: Fleet, seconds: float) -> Struck:
    run = fleet.at(fleet.nodes[2], "steady_apart")[0]
    fleet.keeper(run).kill()
    return Struck({run: FAILED}, time.monotonic())


def vanish(fleet: Fleet, seconds: float) -> Struck:
    return Struck({fleet.start_guest("vanishes", fleet.nodes[0]): SUCCEEDED}, time.monotonic())


def kill_node(fleet: Fleet, seconds: float) -> Struck:
    node = fleet.nodes[1]
    ends = dict.fromkeys(fleet.at(node), LOST)
    node.kill()
    return Struck(ends, time.monotonic(), down=frozenset({node.name}))


def start_node(fleet: Fleet) -> None:
    fleet.nodes[1].launch()


def kill_pool_process(fleet: Fleet, seconds: float) -> Struck:
    """One process of a worker's pool, which runs a run; the worker makes another."""
    (run,) = fleet.at(fleet.workers[0], "apart_at_w0")
    fleet.keeper(run).parent().kill()
    return Struck({run: LOST}, time.monotonic())


def kill_worker(fleet: Fleet, seconds: float) -> Struck:
    """With its pool, as the end of a machine does; what may be begun anew goes on elsewhere."""
    worker = fleet.workers[2]
    ends = {run: RUNNING if run.restarts else LOST for run in fleet.at(worker)}
    worker.kill_all()
    return Struck(ends, time.monotonic())


def start_worker(fleet: Fleet) -> None:
    fleet.workers[2].launch()


def hang_worker(fleet: Fleet, seconds: float) -> Struck:
    """Others take its runs for lost; when it goes on, it has to let go of them."""
    worker = fleet.workers[1]
    worker.pause()
    return Struck(dict.fromkeys(fleet.at(worker), LOST), time.monotonic(), after=RUNNING)


def wake_worker(fleet: Fleet) -> None:
    fleet.workers[1].proceed()


def pause_redis(fleet: Fleet, seconds: float) -> Struck:
    """A run is stopped meanwhile: nobody can be told before Redis goes on."""
    fleet.redis.pause()
    eventually(lambda: _readiness(fleet) == 503)
    stopped = fleet.at(fleet.nodes[0], "steady")[0]
    fleet.stop_run(stopped)
    time.sleep(seconds)
    fleet.redis.proceed()
    return Struck({stopped: STOPPED}, time.monotonic())


def cut_network(fleet: Fleet, seconds: float) -> Struck:
    """Between one node and Redis; a run of that node is stopped meanwhile."""
    fleet.place.cut(0)
    eventually(lambda: _readiness(fleet) == 503)
    stopped = fleet.at(fleet.nodes[0], "steady")[0]
    fleet.stop_run(stopped)
    time.sleep(seconds)
    fleet.place.mend(0)
    return Struck({stopped: STOPPED}, time.monotonic())


def fill_archive(fleet: Fleet, seconds: float) -> Struck:
    """A run that prints more than Redis may hold: its end waits for the archive, at other nodes."""
    fleet.place.fill(fleet.place.archive)
    waits = fleet.start_guest("burst", fleet.nodes[0], lines=BURST_BYTES // LINE_BYTES)
    eventually(lambda: "the archive cannot be written" in fleet.nodes[0].log)
    time.sleep(seconds)
    state = fleet.records(fleet.nodes[1])[waits.id]["state"]
    assert state == "running", f"{waits} is {state}"
    fleet.place.free(fleet.place.archive)
    return Struck({waits: SUCCEEDED}, time.monotonic())


def fill_redis(fleet: Fleet, seconds: float) -> Struck:
    """A run is stopped meanwhile."""
    fleet.place.fill(fleet.place.redis)
    eventually(lambda: _readiness(fleet) == 503)
    stopped = fleet.at(fleet.nodes[0], "steady")[0]
    fleet.stop_run(stopped)
    time.sleep(seconds)
    fleet.place.free(fleet.place.redis)
    return Struck({stopped: STOPPED}, time.monotonic())


def move_clock(fleet: Fleet, seconds: float) -> Struck:
    """Of one web node, an hour ahead and back."""
    fleet.clock.move(3600)
    time.sleep(seconds)
    run = fleet.start_guest("burst", fleet.nodes[2], lines=100)
    fleet.clock.move(0)
    return Struck({run: SUCCEEDED}, time.monotonic())


def expire_keys(fleet: Fleet, seconds: float) -> Struck:
    """What a clock that moves an hour ahead does to Redis: what lasts for less is gone.

    Redis itself does not start under libfaketime.
    """
    for key in fleet.client.scan_iter(count=1000):
        if 0 < fleet.client.pttl(key) < 3600_000:
            fleet.client.delete(key)
    time.sleep(seconds)  # for two looks at who gives a sign of life
    return Struck({}, time.monotonic())


BURST_BYTES = 4 << 20  # several times what Redis holds of a run that the archive does not take


def _readiness(fleet: Fleet) -> int:
    return requests.get(f"{fleet.url(fleet.nodes[0])}/readyz", timeout=60).status_code


# Those of a round strike at once, but no two that start a run.
ROUNDS = [
    [Fault("nginx killed", kill_nginx)],
    [Fault("Redis killed", kill_redis)],
    [
        Fault("a run's process killed", kill_process),
        Fault("a run's keeper killed", kill_keeper),
        Fault("clock of a web node moved by an hour", move_clock, 3.0, 10.0),
    ],
    [
        Fault("clock of Redis moved by an hour", expire_keys, 6.0, 12.0),
        Fault("a job that forks and vanishes", vanish),
    ],
    [Fault("disk of the archive full", fill_archive, 1.0, 15.0)],
    [Fault("disk of Redis full", fill_redis, 3.0, 15.0)],
    [Fault("network cut between a web node and Redis", cut_network, 3.0, 15.0)],
    [Fault("Redis paused for 20 s", pause_redis, 17.0, 17.0)],
    [
        Fault("a web node killed", kill_node, mend=start_node),
        Fault("a process of a worker's pool killed", kill_pool_process),
        Fault("a worker killed with its pool", kill_worker, mend=start_worker),
        Fault("a worker hangs", hang_worker, mend=wake_worker),
    ],
]
