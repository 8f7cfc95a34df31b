"""Reads the parameters of a function from its signature."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from flask_realtime.parameters.inputs import Upload
from flask_realtime.parameters.model import Parameters
from flask_realtime.parameters.parameter import Parameter
from flask_realtime.parameters.schema import schema_of
from flask_realtime.parameters.values import Size, fault_in, shown

_EMPTY = inspect.Parameter.empty


def read_parameters(function: Callable[..., object]) -> Parameters:
    """Read what `function` takes after `running`.

    Raises TypeError, saying what is wrong with the signature and how to write it.
    """
    try:
        signature = inspect.signature(function)
    except ValueError as error:
        raise TypeError(f"its signature cannot be read: {error}") from error
    first = next(iter(signature.parameters.values()), None)
    if (
        first is None
        or first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD)
        or not (first.name == "running" or first.name.startswith("_"))
    ):
        raise TypeError("its first parameter must be 'running': def name(running, ...)")
    names = _namespace(function)
    rest = list(signature.parameters.values())[1:]
    return Parameters([_read(parameter, names) for parameter in rest])


def innermost(function: object) -> object:
    """The function that someone wrote: under partials, methods, wrappers or a callable object."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not inspect.isroutine(function) and inspect.isfunction(type(function).__call__):
            function = type(function).__call__
        else:
            return function


def _read(parameter: inspect.Parameter, names: dict[str, Any]) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        raise TypeError(f"instead of {stars}{name}, name each parameter, with its type")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"parameter {name!r} is positional-only, but is given by name: move the /")
    if parameter.annotation is _EMPTY:
        raise TypeError(f"parameter {name!r} has no type hint: write, for example, {name}: int")
    # By way of a holder without code: for functions, Python 3.10 turns the hint of `x: str = None`
    # into Optional[str], and all hints would have to resolve, also those of `running` and `return`.
    holder = types.SimpleNamespace(__annotations__={name: parameter.annotation})
    try:
        hint = typing.get_type_hints(holder, names, names, include_extras=True)[name]
    except Exception as error:
        raise TypeError(
            f"the type hint of parameter {name!r} cannot be resolved: {error}; "
            "what it names must be importable when the job runs"
        ) from error
    if isinstance(hint, Upload) or hint is Upload:
        raise TypeError(f"an upload is a Path: write {name}: Annotated[Path, Upload()]")
    try:
        result = Parameter(name, hint, parameter.default)
    except (TypeError, NameError) as error:
        raise TypeError(f"parameter {name!r}: {error}") from error
    try:
        schema_of([result])
    except (TypeError, NotImplementedError) as error:
        raise TypeError(
            f"parameter {name!r} has the type {result.expected}, which has no form in JSON: {error}"
        ) from error
    if parameter.default is not _EMPTY:
        _check_default(result)
    return result


def _check_default(item: Parameter) -> None:
    default = item.default
    has = f"parameter {item.name!r} has the default"
    if default is not None and item.secret:
        raise TypeError(f"parameter {item.name!r} is a secret: a default would give it away")
    if default is not None and item.upload is not None:
        raise TypeError(f"{has} {shown(default)}: an upload has none but None")
    try:
        # What had to be changed to fit does not: the function itself would get it unchanged.
        # (NaN differs from itself: what is wrong with it is said below.)
        fits = item.convert(default) == default or default != default
    except msgspec.ValidationError:
        fits = False
    if not fits:
        hint = f"{item.expected} | None" if default is None else type(default).__name__
        raise TypeError(
            f"{has} {shown(default)}, which is not {item.expected}: write {item.name}: {hint}"
        )
    if fault := fault_in(item.plain(default), Size()):
        raise TypeError(f"{has} {shown(default)}: {fault}")


def _namespace(function: object) -> dict[str, Any]:
    written = innermost(function)
    names: dict[str, Any] = dict(getattr(written, "__globals__", {}))
    closure = getattr(written, "__closure__", None) or ()
    code = getattr(written, "__code__", None)
    for name, cell in zip(code.co_freevars if code else (), closure, strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # an empty cell: the name is assigned later
            continue
    return names
