"""Owns runs of one job without serving anybody, as a worker does.

argv: the Redis, the archive, how many runs. Prints their ids, and ends with its standard input.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flask_realtime import host
from flask_realtime.archive import Archive
from flask_realtime.engine import Engine
from flask_realtime.jobs import JobRegistry
from flask_realtime.jobsfolder.jobsfolder import load
from flask_realtime.options import Options
from flask_realtime.store.store import Store

JOBS = Path(__file__).resolve().parent / "jobs"


def main(redis: str, archive: str, runs: str) -> None:
    host.use("threading")
    jobs = JobRegistry()
    load(JOBS, jobs)
    options = Options(output_hot_bytes=1 << 20)
    with host.entered():
        engine = Engine(jobs, Store(), options, archive=Archive(archive))
        engine.store.connect(redis)
        engine.start()
        for _ in range(int(runs)):
            run = engine.start_run("local", "checksummed", {"lines_per_second": 1000})
            print(run.id, file=sys.__stdout__, flush=True)
        host.offload(os.read, 0, 1)
        engine.stop(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
