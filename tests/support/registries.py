"""Runs in a registry, for tests that need no process for each."""

from __future__ import annotations

from typing import Any

from flask_realtime.history import ANY, Filter
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run, RunIds

IDS = RunIds()


def a_run(owner: RunRegistry, **fields: Any) -> Run:
    run = Run(
        **{
            "id": IDS.new(),
            "job": "count",
            "params": {},
            "user": "ann",
            "executor": "thread",
            "isolation": "thread",
            "owner": owner.owner,
            **fields,
        }
    )
    owner.add(run)
    return run


def all_pages(runs: RunRegistry, limit: int, wanted: Filter = ANY) -> list[list[str]]:
    pages = []
    before = None
    while True:
        found, before = runs.list(limit, wanted, before=before)
        pages.append([run.id for run in found])
        if before is None:
            return pages
