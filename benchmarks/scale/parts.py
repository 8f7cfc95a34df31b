"""The parts of `python -m benchmarks scale`; SCALE_PARTS="viewers,queued" picks some."""

from __future__ import annotations

import os
import sys

from benchmarks.scale import costs, paper, queued, viewers, workers

PARTS = {
    "viewers": viewers.main,
    "workers": workers.main,
    "queued": queued.main,
    "costs": costs.main,
    "paper": paper.main,
}


def main() -> None:
    names = os.environ.get("SCALE_PARTS", ",".join(PARTS)).split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"SCALE_PARTS: unknown: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names:
        PARTS[name]()
