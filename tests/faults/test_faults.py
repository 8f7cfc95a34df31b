"""Every part of a fleet is broken in turn, under 50 runs and 200 viewers: nothing is lost.

Each fault comes once, some of them together. SOAK_SECONDS=300 (`make soak`) goes on for so long,
with one fault at a time, in random order and longer. FAULT_REPORT names the file to write what was
seen to; by default it is build/faults.md. FAULTS picks faults by parts of their names.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.aftermath import (
    MORE_DESCRIPTORS,
    MORE_MIB,
    RIGHT_SECONDS,
    Aftermath,
    Holdings,
    Struck,
    check_begun_again,
    check_output,
    holdings,
    wait_settled,
)
from tests.faults.faults import ROUNDS, Fault
from tests.faults.fleet import NODES, WORKERS, Fleet
from tests.faults.place import why_not
from tests.faults.report import BY_DEFAULT, Report

RUNS = 50
VIEWERS = 200
ONLY = os.environ.get("FAULTS", "").split(",")
SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    reason = why_not()
    if reason and not os.environ.get("CI"):
        pytest.skip(f"networks cannot be cut and disks not be filled here: {reason}")
    assert not reason
    made = Fleet(tmp_path, RUNS, VIEWERS)
    try:
        yield made
    finally:
        made.close()


def rounds() -> Iterator[list[Fault]]:
    """The faults that strike together; each alone, and again and again, for a soak."""
    wanted = [
        [fault for fault in faults if any(word in fault.name for word in ONLY)] for faults in ROUNDS
    ]
    if not SOAK_SECONDS:
        yield from filter(None, wanted)
        return
    chance = random.Random(8)
    end = time.monotonic() + SOAK_SECONDS
    single = [fault for faults in wanted for fault in faults]
    yield from ([fault] for fault in single)
    while time.monotonic() < end:
        yield [chance.choice(single)]


def strike(fleet: Fleet, faults: list[Fault], first: Holdings, report: Report) -> None:
    """Let `faults` strike, wait until all is right and as it was, and note what was seen."""
    begin = fleet.crowd.bytes
    aftermath = Aftermath(fleet)
    struck = [
        fault.strike(fleet, fault.soak_seconds if SOAK_SECONDS else fault.seconds)
        for fault in faults
    ]
    seen = aftermath.wait_right(struck)
    for fault in faults:
        if fault.mend is not None:
            fault.mend(fleet)
    mended = [each.mended() for each in struck]
    aftermath.wait_right(mended)
    ended = [run for each in mended for run in each.ends if run.viewers[0].total is not None]
    checked = check_output(fleet, ended) + fleet.crowd.bytes - begin
    fleet.replenish(ended)
    wait_settled(fleet, first)
    for fault, found in zip(faults, seen, strict=True):
        print(f"{fault.name}: {found}", flush=True)
        report.add(fault.name, found.states, found.seconds, checked // len(faults))
        # A machine that runs all tests at once may stall for longer than that.
        assert not SOAK_SECONDS or found.seconds <= RIGHT_SECONDS, f"{fault.name}: {found}"


def test_no_run_is_forgotten_and_no_byte_is_lost(fleet: Fleet) -> None:
    report = Report(RUNS, VIEWERS, NODES, WORKERS, RIGHT_SECONDS, MORE_DESCRIPTORS, MORE_MIB)
    fleet.start()
    Aftermath(fleet).wait_right([Struck({}, time.monotonic())])
    first = holdings(fleet)
    for faults in rounds():
        strike(fleet, faults, first, report)
    assert check_begun_again(fleet) >= 2
    report.write(Path(os.environ.get("FAULT_REPORT", BY_DEFAULT)), fleet.crowd.bytes)
