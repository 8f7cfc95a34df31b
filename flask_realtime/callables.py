"""What a function that is to be a job says of itself, whatever makes it callable."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from flask_realtime.parameters import innermost


def where(function: object) -> str:
    """ "file:line" of the function that someone wrote, for messages."""
    code = getattr(innermost(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else f"built in: {function!r:.80}"


def refuse_other_callables(function: object) -> None:
    """Raise TypeError for what is no function, and none that does its work when it is called."""
    if not callable(function):
        raise TypeError("it cannot be called")
    if isinstance(function, type):
        raise TypeError("it is a class: give a function, or an instance with __call__")
    written: Any = innermost(function)
    if inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written):
        raise TypeError("it is a generator, and calling it would run nothing: print instead")


def is_async_function(function: Any) -> bool:
    """Whether a call of it is to be awaited."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is wanted
    )


def _unbound(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def own_name(function: object) -> str:
    """The name that it was written with."""
    inner = _unbound(function)
    return getattr(inner, "__name__", None) or type(inner).__name__


def description_of(function: object) -> str:
    """The whole docstring, dedented; its first paragraph is the summary."""
    inner = _unbound(function)
    if inspect.isroutine(inner):
        return inspect.getdoc(inner) or ""
    called = type(inner).__call__
    return (inspect.getdoc(called) if called.__doc__ else inspect.getdoc(type(inner))) or ""
