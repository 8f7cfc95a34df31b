"""What can be set about the engine, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from flask_realtime.keep import Keep

MIB = 1 << 20
GIB = 1 << 30
KEEP = Keep(days=90, runs=100_000, output_bytes=50 * GIB)


@dataclass(frozen=True)
class Options:
    """Bounds and times; sizes in bytes, times in seconds."""

    max_runs: int = 20  # at once, in this process
    stop_grace_seconds: float = 10.0  # until the page says that a job ignores Stop
    shutdown_seconds: float = 5.0  # that runs get to end in when the server stops
    job_buffer_bytes: int = 4 * MIB  # of a run, before its job waits
    output_hot_bytes: int = 16 * MIB  # of a run, in Redis; what is older goes to the archive
    output_hot_seconds: float = 600.0  # after the end of a run, before all of it goes there
    keep: Keep = KEEP  # of the runs that have ended
    viewer_window_bytes: int = 1 * MIB  # sent to a viewer and not acknowledged
    max_event_bytes: int = 1 * MIB  # of one event from a client
