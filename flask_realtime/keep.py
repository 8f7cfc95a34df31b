"""What is kept of the runs of a job, or of all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept of ended runs; 0 is no limit.

    Runs older than `days` since their end, and the oldest beyond `runs`, are removed whole. Of the
    oldest whose output goes beyond `output_bytes` the output is discarded and the record stays.
    """

    days: float = 0
    runs: int = 0
    output_bytes: int = 0


KEEP_ALL = Keep()
