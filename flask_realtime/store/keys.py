"""The names of all keys in Redis, in one place: schema 2 (docs/redis.md).

A cluster puts a key where the part of its name in braces belongs, and a script's keys have to lie
in one place. So there are two groups: what scripts change together of all runs, records, index and
accounts, has one place; the output of a run has another, each run its own.
"""

from __future__ import annotations

ROOT = "flask-realtime:"
VERSION = 2
SCHEMA = ROOT + "schema"  # its version; this name stays the same in all versions
MIGRATING = ROOT + "migrating"  # names the process that brings older data up to this version
SHARED = f"{{{ROOT}{VERSION}}}:"  # begins the names of the first group
_OF_RUN = f"{ROOT}{VERSION}:"  # ... of the second

# Sets and sorted sets of run ids
ACTIVE = SHARED + "active"  # runs that have not ended
UNINDEXED = SHARED + "runs"  # runs that a version without index has added
UNSETTLED = SHARED + "outputs:unsettled"  # runs whose output retention has to settle
DISCARDING = SHARED + "outputs:discarding"  # runs whose output does not count and is to go yet
REMOVED = SHARED + "outputs:removed"  # runs without a record, whose output is to go yet

SIZES = SHARED + "outputs:bytes"  # hash: the sum of settled outputs by job
SWEEPER = SHARED + "sweeper"  # names the process whose turn it is to sweep
RESENDER = SHARED + "resender"  # there while somebody has just looked for runs to send again
WORKERS = SHARED + "workers"  # hash: what each process of a worker says of itself
NODES = SHARED + "nodes"  # hash: what each web node says of itself
SECURED = SHARED + "secured"  # written to wait until a replica has what was written before
BUS = SHARED + "bus"  # the channel of all processes


def record(run: str) -> str:
    """Of the record of a run."""
    return f"{SHARED}run:{run}"


def owner(process: str) -> str:
    """Of the sign of life of a process that owns runs."""
    return f"{SHARED}owner:{process}"


def index(state: str, job: str | None = None, user: str | None = None) -> str:
    """Of the sorted set of the runs in `state`, of `job` and of `user` if these are given.

    The name of a job has no colon, so no two sets share a name.
    """
    return f"{SHARED}runs:{state}{_of(job, user)}"


def held(job: str | None = None, user: str | None = None) -> str:
    """Of the sorted set of the runs that wait for room of their job, or of their user."""
    return f"{SHARED}held{_of(job, user)}"


def _of(job: str | None, user: str | None) -> str:
    of_job = "" if job is None else f":job:{job}"
    return of_job if user is None else f"{of_job}:user:{user}"


def settled(job: str) -> str:
    """Of a sorted set of "<run>:<size>", all scores 0, so the oldest come first."""
    return f"{SHARED}outputs:job:{job}"


def bus(process: str) -> str:
    """The channel of one process."""
    return f"{BUS}:{process}"


def _of_run(run: str, name: str) -> str:
    return f"{_OF_RUN}{{{run}}}:{name}"


def output(run: str) -> str:
    """Of the stream of a run's hot output."""
    return _of_run(run, "output")


def segments(run: str) -> str:
    """Of a run's manifest (archive/manifest.py)."""
    return _of_run(run, "segments")


def grown(run: str) -> str:
    """The channel on which the writer of a run's output says "<end> <line>" of it."""
    return _of_run(run, "grown")


def writer(run: str) -> str:
    """Of who may append to a run's output, where that changes."""
    return _of_run(run, "writer")


def secured(run: str) -> str:
    """As SECURED, where the output of a run is."""
    return _of_run(run, "secured")


def watched(run: str) -> str:
    """Of the sign that a run is watched."""
    return _of_run(run, "watched")


def order(run: str) -> str:
    """Of what a worker needs to run it, sealed."""
    return _of_run(run, "order")


def probe(number: int) -> str:
    """Of what is written to find out whether there is memory; each number has its own place."""
    return _of_run(str(number), "probe")
