"""What can be set about the engine, with the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask_realtime.bounds import UNBOUNDED, Bounds
from flask_realtime.keep import Keep

MIB = 1 << 20
GIB = 1 << 30
KEEP = Keep(days=90, runs=100_000, output_bytes=50 * GIB)


@dataclass(frozen=True)
class Options:
    """Bounds and times; sizes in bytes, times in seconds."""

    max_runs: int = 20  # at once, in this process
    max_runs_per_user: int | None = None  # at once, in this process
    max_queued: int = 100  # runs that wait until they may begin; a start beyond is refused
    executor: str = "thread"  # of the jobs that do not say which
    max_queued_on_workers: int = 10_000  # runs that wait until a worker takes them, all together
    sealing_keys: tuple[str, ...] = ()  # Fernet keys, the same everywhere; the first one seals
    bounds: Bounds = UNBOUNDED  # of runs whose job says nothing else
    stop_grace_seconds: float = 10.0  # from Stop until force; threads: until the page offers that
    shutdown_seconds: float = 5.0  # that runs get to end in when the server stops
    drain_seconds: float = 0.0  # before that, in which they may end by themselves
    # What all web nodes have to know alike: names of settings → fingerprints (nodes.py)
    key_prints: Mapping[str, Sequence[str]] = field(default_factory=dict)
    terminal_columns: int = 120  # of processes' terminals
    terminal_rows: int = 30
    max_upload_bytes: int = 100 * MIB  # of one file
    uploads_path: Path | None = None  # None: the folder `uploads` of the instance folder
    job_buffer_bytes: int = 4 * MIB  # of a run, before its job waits
    output_hot_bytes: int = 16 * MIB  # of a run, in Redis; what is older goes to the archive
    output_hot_seconds: float = 600.0  # after the end of a run, before all of it goes there
    keep: Keep = KEEP  # of the runs that have ended
    viewer_window_bytes: int = 1 * MIB  # sent to a viewer and not acknowledged
    max_event_bytes: int = 1 * MIB  # of one event from a client

    def bounds_for(self, isolation: str) -> Bounds:
        """Those of `bounds` that a box of this kind can hold a run to."""
        if isolation == "process":
            return self.bounds
        return replace(self.bounds, cpu_seconds=None, memory_mib=None)
