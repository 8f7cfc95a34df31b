"""What a job may say about its runs: what is kept of them, when an unwatched one is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from flask_realtime.errors import RealtimeError
from flask_realtime.keep import KEEP_ALL, Keep

MIB = 1 << 20
# Viewers of other processes are looked for each second, and pages that are loaded anew take a
# moment to come back.
LEAST_UNWATCHED_SECONDS = 5


class RuleOptions(TypedDict, total=False):
    """The keywords of ``@job`` beside the names. For type checkers."""

    keep_days: float
    keep_runs: int
    keep_output_mib: float
    stop_when_unwatched: float | None


@dataclass(frozen=True, slots=True)
class JobRules:
    """`stop_when_unwatched`: seconds without any viewer after which a run is stopped, or None."""

    keep: Keep = KEEP_ALL
    stop_when_unwatched: float | None = None


NO_RULES = JobRules()


def read_rules(options: Mapping[str, object]) -> JobRules:
    """Check the keywords of ``@job``. Raises RealtimeError, and TypeError for an unknown one."""
    unknown = options.keys() - RuleOptions.__annotations__.keys()
    if unknown:
        known = ", ".join(sorted({"name", "title", *RuleOptions.__annotations__}))
        raise TypeError(f"a job has no option {min(unknown)!r}; there are: {known}")
    unwatched = options.get("stop_when_unwatched")
    return JobRules(
        Keep(
            days=_number(options, "keep_days"),
            runs=int(_number(options, "keep_runs", whole=True)),
            output_bytes=int(_number(options, "keep_output_mib") * MIB),
        ),
        None
        if unwatched is None
        else _number(options, "stop_when_unwatched", least=LEAST_UNWATCHED_SECONDS),
    )


def _number(
    options: Mapping[str, object], name: str, *, whole: bool = False, least: float = 0
) -> float:
    value = options.get(name, 0)
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < 1e15:
        kind = "whole number" if whole else "number"
        raise RealtimeError(f"{name}={value!r} is wrong: expected a {kind}, {least:g} or more")
    return value
