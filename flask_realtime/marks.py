"""The decorator that marks a function as a job. It loads little: jobs' own processes use it too."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, overload

from flask_realtime.errors import RealtimeError
from flask_realtime.jobrules import NO_RULES, JobRules, RuleOptions, read_rules

if TYPE_CHECKING:
    from typing_extensions import Unpack

F = TypeVar("F", bound=Callable[..., object])

_MARK = "__flask_realtime_job__"


@dataclass(frozen=True, slots=True)
class Mark:
    """What `@job` notes on a function until a registry takes it up."""

    name: str | None = None
    title: str | None = None
    rules: JobRules = NO_RULES


@overload
def job(function: F, /) -> F: ...
@overload
def job(
    *, name: str | None = None, title: str | None = None, **rules: Unpack[RuleOptions]
) -> Callable[[F], F]: ...
def job(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    title: str | None = None,
    **rules: Unpack[RuleOptions],
) -> F | Callable[[F], F]:
    """Mark a function of the jobs folder as a job: ``@job`` or ``@job(title="Tidy up")``.

    `keep_days`, `keep_runs` and `keep_output_mib` bound what is kept of its runs beside the
    settings of all (docs/retention.md); `stop_when_unwatched` is in seconds.

    It changes nothing else: the function can be called and tested as before.
    Raises RealtimeError for what cannot carry a mark, such as a bound method, and for a wrong
    value.
    """
    read = read_rules(rules)

    def mark(marked: F) -> F:
        if not callable(marked):
            raise RealtimeError(f"@job marks a function, got {marked!r}; options are keywords")
        try:
            setattr(marked, _MARK, Mark(name, title, read))
        except AttributeError as error:
            raise RealtimeError(
                f"@job cannot mark {marked!r}: hand it to Realtime.add(...) instead"
            ) from error
        return marked

    return mark if function is None else mark(function)


def mark_of(value: object) -> Mark | None:
    """What `@job` noted on `value`, which may be anything that a module holds; else None."""
    if isinstance(value, type):
        return None
    # Read statically: proxies such as flask.request raise when they are asked for an attribute.
    holder = value.__func__ if isinstance(value, types.MethodType) else value
    mark = inspect.getattr_static(holder, _MARK, None)
    return mark if isinstance(mark, Mark) else None
