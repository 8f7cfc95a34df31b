"""What a run in a process does now, for its report. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a disk",
    "T": "stopped",
    "t": "stopped",
    "I": "idle",
}


def report(
    told: Mapping[str, Any] | None,
    threads: Sequence[Mapping[str, Any]],
    *,
    note: str,
    waiting: bool,
    mask: Callable[[str], str],
) -> dict[str, Any]:
    """The part of the protocol's `report` that a box fills.

    `told` is what the keeper told of all processes, None where it did not answer; `threads` what is
    known of those of the child, and `note` why of others nothing is. Command lines are shown with
    `mask`.
    """
    processes = [
        {
            **process,
            "command": mask(process["command"]),
            "state": _STATES.get(process["state"], process["state"]),
        }
        for process in (told["processes"] if told else ())
    ]
    return {
        "doing": _doing(told, waiting, processes),
        "cpu_percent": told["cpu_percent"] if told else 0.0,
        "processes": processes,
        "threads": list(threads),
        "note": note if told else "The run has just ended, or its processes cannot be looked at.",
    }


def _doing(
    told: Mapping[str, Any] | None, waiting: bool, processes: Sequence[Mapping[str, Any]]
) -> str:
    if waiting:
        return "waiting for input"
    if told and told["waiting_for_room"]:
        return "waiting for room"
    if told and told["computing"]:
        return "computing"
    if any(process["state"] == _STATES["D"] for process in processes):
        return _STATES["D"]
    return "sleeping"
