"""What a job may say about its runs: how each is boxed and bounded, and what is kept of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from flask_realtime.bounds import UNBOUNDED, Bounds
from flask_realtime.errors import RealtimeError
from flask_realtime.keep import KEEP_ALL, Keep

MIB = 1 << 20
# Viewers of other processes are looked for each second, and pages that are loaded anew take a
# moment to come back.
LEAST_UNWATCHED_SECONDS = 5
ISOLATIONS = ("thread", "process")
EXECUTORS = ("thread", "celery")
DEFAULT_QUEUE = "default"
_QUEUE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
STOP_SIGNALS = ("SIGTERM", "SIGINT")
OF_A_WORKER = ("queue", "retries")
# What a thread of the server cannot be held to, nor be given.
OF_A_PROCESS = ("max_cpu_seconds", "max_memory_mib", "terminal", "inherit", "stop_signal")


class RuleOptions(TypedDict, total=False):
    """The keywords of ``@job`` beside the names. For type checkers."""

    isolation: str
    executor: str
    queue: str
    retries: int
    timeout: float | None
    max_cpu_seconds: float | None
    max_memory_mib: float | None
    max_output_mib: float | None
    max_runs: int | None
    max_runs_per_user: int | None
    stop_grace: float | None
    stop_signal: str
    terminal: bool
    inherit: Sequence[str]
    keep_days: float
    keep_runs: int
    keep_output_mib: float
    stop_when_unwatched: float | None


@dataclass(frozen=True, slots=True)
class JobRules:
    """What holds for the runs of a job.

    `isolation` is one of ISOLATIONS. `executor` is one of EXECUTORS, or empty: what is set for all.
    Of a run on a worker, `queue` says which workers take it, and `retries` how often it is begun
    anew when its worker is lost. `stop_grace`: seconds that a run has to end once it was asked
    to; None: what is set for all. `stop_when_unwatched`: seconds without any viewer after which a
    run is stopped, or None. Of a process: `stop_signal` is what asks a command to end; `terminal`
    that it runs on one, else on pipes; `inherit` names variables of the server's environment.
    """

    isolation: str = "thread"
    executor: str = ""
    queue: str = DEFAULT_QUEUE
    retries: int = 0
    bounds: Bounds = UNBOUNDED
    stop_grace: float | None = None
    stop_signal: str = "SIGTERM"
    terminal: bool = True
    inherit: tuple[str, ...] = ()
    keep: Keep = KEEP_ALL
    stop_when_unwatched: float | None = None


NO_RULES = JobRules()


def read_rules(options: Mapping[str, object]) -> JobRules:
    """Check the keywords of ``@job``. Raises RealtimeError, and TypeError for an unknown one."""
    unknown = options.keys() - RuleOptions.__annotations__.keys()
    if unknown:
        known = ", ".join(sorted({"name", "title", *RuleOptions.__annotations__}))
        raise TypeError(f"a job has no option {min(unknown)!r}; there are: {known}")
    isolation = _choice(options, "isolation", ISOLATIONS)
    if isolation != "process":
        for name in OF_A_PROCESS:
            if options.get(name) is not None:
                raise RealtimeError(
                    f"{name}={options[name]!r} holds for a process only: add isolation='process'"
                )
    executor = _choice(options, "executor", EXECUTORS) if options.get("executor") else ""
    if executor == "thread":
        for name in OF_A_WORKER:
            if options.get(name):
                raise RealtimeError(
                    f"{name}={options[name]!r} holds on workers only: leave out executor='thread'"
                )
    return JobRules(
        isolation=isolation,
        executor=executor,
        queue=_queue(options),
        retries=int(_number(options, "retries", whole=True)),
        bounds=Bounds(
            timeout=_bound(options, "timeout", least=0.001),
            cpu_seconds=_bound(options, "max_cpu_seconds", least=0.001),
            memory_mib=_bound(options, "max_memory_mib", least=1),
            output_mib=_bound(options, "max_output_mib", least=0.001),
            runs=_whole(_bound(options, "max_runs", least=1, whole=True)),
            runs_per_user=_whole(_bound(options, "max_runs_per_user", least=1, whole=True)),
        ),
        stop_grace=_bound(options, "stop_grace"),
        stop_signal=_choice(options, "stop_signal", STOP_SIGNALS),
        terminal=_terminal(options),
        inherit=_names(options),
        keep=Keep(
            days=_number(options, "keep_days"),
            runs=int(_number(options, "keep_runs", whole=True)),
            output_bytes=int(_number(options, "keep_output_mib") * MIB),
        ),
        stop_when_unwatched=_bound(options, "stop_when_unwatched", least=LEAST_UNWATCHED_SECONDS),
    )


def _choice(options: Mapping[str, object], name: str, choices: tuple[str, ...]) -> str:
    value = options.get(name, choices[0])
    if value not in choices:
        raise RealtimeError(f"{name}={value!r} is wrong: expected one of {', '.join(choices)}")
    return str(value)


def _queue(options: Mapping[str, object]) -> str:
    value = options.get("queue", DEFAULT_QUEUE)
    if not isinstance(value, str) or not _QUEUE.fullmatch(value):
        raise RealtimeError(
            f"queue={value!r:.200} is wrong: expected letters, digits and _ . - (100 at most)"
        )
    return value


def _terminal(options: Mapping[str, object]) -> bool:
    value = options.get("terminal", True)
    if not isinstance(value, bool):
        raise RealtimeError(f"terminal={value!r} is wrong: expected True or False")
    return value


def _names(options: Mapping[str, object]) -> tuple[str, ...]:
    value = options.get("inherit", ())
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(name, str) for name in value)
    ):
        raise RealtimeError(f"inherit={value!r} is wrong: expected a list of names of variables")
    return tuple(value)


def _bound(
    options: Mapping[str, object], name: str, *, whole: bool = False, least: float = 0
) -> float | None:
    if options.get(name) is None:
        return None
    return _number(options, name, whole=whole, least=least)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _number(
    options: Mapping[str, object], name: str, *, whole: bool = False, least: float = 0
) -> float:
    value = options.get(name, 0)
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < 1e15:
        kind = "whole number" if whole else "number"
        raise RealtimeError(f"{name}={value!r} is wrong: expected a {kind}, {least:g} or more")
    return value
