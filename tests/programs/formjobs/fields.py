"""Jobs whose forms have fields of every kind."""

from __future__ import annotations

import datetime
import enum
import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from flask_realtime import job
from flask_realtime.parameters import MultiLine, Secret, Upload


class Region(enum.Enum):
    """Where the data is."""

    NORTH = "north"
    SOUTH = "south"
    OVERSEAS = "overseas territories and dependencies"
    NONE = "not assigned to any region"


def told(**values: object) -> None:
    """Print what has arrived, for a test to read."""
    print(json.dumps(values, default=str, sort_keys=True))


@job
def every_kind(
    running,
    text: Annotated[str, Meta(description="A word or two", examples=["as in this"])] = "",
    notes: MultiLine = "first line\nsecond line",
    count: Annotated[int, Meta(ge=1, le=10_000, description="How many")] = 3,
    ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5,
    verbose: bool = False,
    strict: bool | None = None,
    size: Literal["S", "M", "L"] = "M",
    region: Region = Region.NORTH,
    day: datetime.date = datetime.date(2026, 11, 21),
    hour: datetime.time = datetime.time(13, 30),
    local: datetime.datetime = datetime.datetime(2026, 11, 21, 13, 30),
    moment: Annotated[datetime.datetime, Meta(tz=True)] | None = None,
    names: list[str] = ["Ann", "Bob"],  # noqa: B006 - a job gets a copy
    ports: Annotated[list[Annotated[int, Meta(ge=1, le=65535)]], Meta(max_length=3)] = [],  # noqa: B006
    limit: int | None = None,
    nested: dict[str, list[int]] = {},  # noqa: B006
):
    """One field of each kind."""
    told(**{name: value for name, value in locals().items() if name != "running"})


@job
def plan(
    running,
    city: Annotated[str, Meta(min_length=1, max_length=20)],
    days: Annotated[int, Meta(ge=1, le=14)] = 3,
    pace: Literal["slow", "fast"] = "slow",
    stops: list[str] = [],  # noqa: B006
):
    """Plan a journey."""
    told(city=city, days=days, pace=pace, stops=stops)


@job
def journal(running, stops: list[str] = []):  # noqa: B006
    """Takes nothing but a list."""
    told(stops=stops)


@job
def sign_in(running, user: str, password: Secret, note: str = ""):
    """Takes a secret."""
    told(user=user, digest=hashlib.sha256(password.encode()).hexdigest(), note=note)


@job
def measure(
    running,
    data: Annotated[Path, Upload(max_mib=1), Meta(description="A table of numbers")],
    factor: int = 2,
):
    """Takes a file."""
    content = data.read_bytes()
    told(digest=hashlib.sha256(content).hexdigest(), name=data.name, factor=factor)


@job
def wide(running, data: Annotated[Path, Upload(max_mib=50)] | None = None):
    """Takes a larger file than the server."""
    told(name=data and data.name)


@job
def picky(running, even: int = 2, other: str = "x"):
    """Refuses what no schema tells."""
    told(even=even, other=other)


@job(timeout=60, max_runs=2, max_output_mib=16)
def bounded(running):
    """Runs within bounds."""
    print("done")


@job(isolation="process", timeout=5400, max_memory_mib=512, max_cpu_seconds=30, max_runs_per_user=1)
def boxed(running, lines: int = 3):
    """Runs in a process of its own.

    What it prints arrives like that of any other job.
    """
    for line in range(lines):
        print(line)
