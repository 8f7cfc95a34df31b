"""How a run in a process ended: the keeper's word, the child's own, and who asked. No I/O."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_realtime.isolation.box import Exit, Processes
from flask_realtime.isolation.program import MIB, Program

_BY_WHOM = "by somebody else, or by the kernel because memory was short"


@dataclass
class Asked:
    """What this process wants of a run: that it ends, by force, because of a bound."""

    stop: bool = False
    force: bool = False
    broken: str = ""  # the bound


def exit_of(told: Mapping[str, Any], said: Exit | None, asked: Asked, program: Program) -> Exit:
    """`told` is the keeper's last message, `said` what the child told of the job's end, if it did.

    What a bound or somebody's force did goes before what the job says of itself.
    """
    found = _found(told, said, asked, program)
    return replace(found, processes=Processes(told["ended"], told["left"]))


def _found(told: Mapping[str, Any], said: Exit | None, asked: Asked, program: Program) -> Exit:
    code = None if told["exit"] is None else exit_code(told["exit"])
    broken = asked.broken or _bound(told, program)
    if broken:
        return Exit("failed", code or 1, broken)
    forced = (asked.stop or asked.force) and told["how"] != "itself"
    if said is not None and not (forced and said.state == "failed"):
        return said
    if asked.stop or asked.force:
        return Exit("stopped", code, "stopped by force" if forced else "stopped")
    if code is None:
        return Exit("failed", None, "it cannot be ended")
    if code == 0:
        return Exit("succeeded", 0, "finished")
    if os.WIFSIGNALED(told["exit"]):
        return Exit("failed", code, _by_signal(os.WTERMSIG(told["exit"])))
    return Exit("failed", code, f"exited with code {code}")


def keeper_gone(code: int, processes: Processes) -> Exit:
    """The end of a run whose keeper has ended without a word; `code` as of subprocess."""
    how = _name(-code) if code < 0 else f"exit code {code}"
    return Exit("failed", None, f"the program that keeps its processes ended by {how}", processes)


def exit_code(status: int) -> int:
    """The code that a shell has for a status of os.waitpid: 128 and the signal's number."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _bound(told: Mapping[str, Any], program: Program) -> str:
    by_kernel = told["exit"] is not None and os.WIFSIGNALED(told["exit"])
    if told["bound"] == "cpu" or (
        by_kernel and program.cpu_seconds and os.WTERMSIG(told["exit"]) == signal.SIGXCPU
    ):
        return f"it used more than {program.cpu_seconds:g} s of CPU time (max_cpu_seconds)"
    if told["bound"] == "memory":
        assert program.memory_bytes is not None
        return f"it took more than {program.memory_bytes / MIB:g} MiB of memory (max_memory_mib)"
    return ""


def _by_signal(number: int) -> str:
    what = _BY_WHOM if number == signal.SIGKILL else (signal.strsignal(number) or "").lower()
    return f"ended by {_name(number)}" + (f" ({what})" if what else "")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
