"""What has to be right after a fault, how long that takes, and what is held afterwards."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
import requests

from tests.faults.crowd import Watched
from tests.faults.expected import expected
from tests.faults.fleet import Fleet

RIGHT_SECONDS = 30.0  # after a fault, all is told right (issue: fault tests)
PATIENCE_SECONDS = 90.0  # until it counts as stuck
LOOK_SECONDS = 0.25

# What may be held beyond what was before the first fault: pools of connections grow to their bound
# (64 of a node, each a descriptor here and at Redis) when all viewers come at once, and an
# interpreter gives memory back late.
MORE_DESCRIPTORS = 2 * 3 * 64 + 100
MORE_MIB = 64  # of each process
SETTLE_SECONDS = 60.0

AGAIN = re.compile(rb"\n\[its worker was lost: [^\n]*\n")  # between two attempts


@dataclass
class Struck:
    """What a fault may do to runs, and since when all may be right again (time.monotonic())."""

    ends: dict[Watched, frozenset[str]]  # runs that end by it, or meanwhile, and how
    since: float
    down: frozenset[str] = frozenset()  # nodes that are away until all is right with the rest
    after: frozenset[str] | None = None  # how these runs are once it is mended, if not as before

    def mended(self) -> Struck:
        """The same once it is over."""
        ends = {run: self.after or states for run, states in self.ends.items()}
        return Struck(ends, time.monotonic())


@dataclass
class Seen:
    """What came of a fault."""

    seconds: float
    states: dict[str, int]  # of the runs that ended by it


class Aftermath:
    """All runs of a fleet, from before some faults until all is right."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._acknowledged = fleet.stored()
        self._runs = list(fleet.runs)

    def wait_right(self, faults: Sequence[Struck]) -> list[Seen]:
        """Wait until all is right with each of the faults, and with the runs that none is about."""
        seen: dict[int, float] = {}
        ends = {run: states for fault in faults for run, states in fault.ends.items()}
        others = [run for run in self._runs if run not in ends]
        since = max(fault.since for fault in faults)
        away = frozenset().union(*(fault.down for fault in faults))
        while len(seen) < len(faults):
            wrong = list(self._wrong(others, {}, away, since))
            for number, fault in enumerate(faults):
                found = list(self._wrong(fault.ends, fault.ends, away, fault.since))
                if not found and not wrong and number not in seen:
                    seen[number] = time.monotonic() - fault.since
                wrong += found
            assert not self._fleet.viewer_faults(), self._fleet.viewer_faults()[:5]
            waited = time.monotonic() - since
            assert waited < PATIENCE_SECONDS, f"{waited:.0f} s, {len(wrong)} wrong: {wrong[:8]}"
            time.sleep(LOOK_SECONDS)
        return [
            Seen(seen[number], dict(Counter(run.viewers[0].state for run in fault.ends)))
            for number, fault in enumerate(faults)
        ]

    def _wrong(
        self,
        runs: Iterable[Watched],
        ends: Mapping[Watched, frozenset[str]],
        away: frozenset[str],
        since: float,
    ) -> Iterator[str]:
        """What is not right with `runs`, or not yet; those in `ends` have to end so."""
        for node in self._fleet.nodes:
            if node.name in away:
                continue
            try:
                records = self._fleet.records(node)
            except (requests.RequestException, KeyError) as error:
                yield f"{node.name} does not answer: {error!r}"
                continue
            for run in runs:
                state = records[run.id]["state"] if run.id in records else "forgotten"
                if state not in ends.get(run, {"running"}):
                    yield f"{run} is {state} at {node.name}"
        for run in runs:
            for viewer in run.viewers:
                if viewer.state not in ends.get(run, {"running"}):
                    yield f"a viewer of {run} was told {viewer.state!r}"
                elif "running" in ends.get(run, {"running"}) and viewer.silent_since <= since:
                    yield f"a viewer of {run} sees nothing new"
                elif viewer.total is None:
                    continue
                elif viewer.reached != viewer.total:
                    yield f"a viewer of {run} has {viewer.reached} of {viewer.total} bytes"
                elif viewer.total < self._acknowledged.get(run.id, 0):
                    yield f"{run} has {viewer.total} of {self._acknowledged[run.id]} bytes"


def check_output(fleet: Fleet, runs: Iterable[Watched]) -> int:
    """Read the outputs of ended runs from every node; return how many bytes that were."""
    checked = 0
    for run in runs:
        for node in fleet.nodes:
            output = requests.get(f"{fleet.url(node)}/api/runs/{run.id}/output", timeout=60).content
            assert len(output) == run.viewers[0].total
            if not run.restarts:
                assert output == expected(run.tag, 0, len(output)), run
            checked += len(output)
    return checked


def check_begun_again(fleet: Fleet) -> int:
    """Read the outputs of runs that are begun anew, by attempts; return how many there were."""
    attempts = 0
    for run in (run for run in fleet.runs if run.restarts):
        url = f"{fleet.url(fleet.nodes[0])}/api/runs/{run.id}/output"
        for output in AGAIN.split(requests.get(url, timeout=60).content):
            assert output == expected(run.tag, 0, len(output)), run
            attempts += 1
    return attempts


# What is held


@dataclass(frozen=True)
class Holdings:
    mib: dict[str, float]  # by part
    descriptors: int
    processes: int


def holdings(fleet: Fleet) -> Holdings:
    mib, descriptors = {}, 0
    for part in (*fleet.nodes, *fleet.workers, fleet.nginx, fleet.redis):
        processes = [psutil.Process(part.pid)]
        if part not in (*fleet.nodes, fleet.redis):
            processes += part.children()
        mib[part.name] = sum(each.memory_info().rss for each in processes) / (1 << 20)
        descriptors += sum(each.num_fds() for each in processes)
    return Holdings(mib, descriptors, len(fleet.processes()))


def wait_settled(fleet: Fleet, first: Holdings) -> Holdings:
    """Wait until no more is held than before the first fault."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        now = None
        with suppress(psutil.NoSuchProcess):  # it has just ended
            now = holdings(fleet)
        if now is not None:
            wrong = list(_beyond(first, now))
            if not wrong:
                return now
            assert time.monotonic() < deadline, wrong
        time.sleep(LOOK_SECONDS)


def _beyond(first: Holdings, now: Holdings) -> Iterator[str]:
    if now.processes != first.processes:
        yield f"{now.processes} processes, not {first.processes}"
    if now.descriptors > first.descriptors + MORE_DESCRIPTORS:
        yield f"{now.descriptors} descriptors, not {first.descriptors}"
    for name, mib in now.mib.items():
        if mib > first.mib[name] + MORE_MIB:
            yield f"{name} has {mib:.0f} MiB, not {first.mib[name]:.0f}"
