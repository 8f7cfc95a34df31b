"""What a job takes: its signature, read once, as types, as JSON Schema and as a check of values."""

from __future__ import annotations

import copy
import difflib
import enum
import functools
import inspect
import reprlib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import msgspec

from flask_realtime.errors import BadParameters

# Messages repeat what a client sent; a client may send megabytes.
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 80

# Stands beside the names of the types that parameters use.
_MODEL = "FlaskRealtimeParameters"
_REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword of a job. `default` is `inspect.Parameter.empty` where a value must be given."""

    name: str
    type: Any
    default: object

    def convert(self, value: object) -> object:
        """Return `value` as this parameter's type; raise `msgspec.ValidationError` if it is none.

        Text is not taken for a number, nor a number for a truth value; an int is a float.
        """
        return msgspec.convert(value, self.type, dec_hook=_from_json)

    @property
    def expected(self) -> str:
        """The type in words for a message."""
        plain = self.type
        if typing.get_origin(plain) is typing.Annotated:
            plain = typing.get_args(plain)[0]
        if typing.get_origin(plain) is typing.Literal:
            return "one of " + ", ".join(map(repr, typing.get_args(plain)))
        if isinstance(plain, type) and issubclass(plain, enum.Enum):
            return "one of " + ", ".join(repr(member.value) for member in plain)
        if isinstance(plain, type) and typing.get_origin(plain) is None:
            return plain.__name__
        return str(plain).replace("typing.", "").replace("pathlib.", "")


class Parameters:
    """The keyword parameters of one job, in the order of its signature."""

    def __init__(self, items: list[Parameter]) -> None:
        self._items = {item.name: item for item in items}
        self.schema = _schema(items)

    def bind(self, values: object) -> dict[str, object]:
        """Return one value per parameter: converted where given, else a copy of the default.

        Raises BadParameters, which names all that is wrong at once.
        """
        if not isinstance(values, Mapping):
            raise BadParameters(f"params must be an object, got {_short.repr(values)}")
        faults = [self._unknown(name) for name in values if name not in self._items]
        bound: dict[str, object] = {}
        for name, item in self._items.items():
            if name in values:
                try:
                    bound[name] = item.convert(values[name])
                except msgspec.ValidationError as error:
                    reason = str(error).replace("`", "")
                    value = _short.repr(values[name])
                    faults.append(f"{name} must be {item.expected}, not {value} ({reason})")
            elif item.default is _REQUIRED:
                faults.append(f"{name} is missing ({item.expected})")
            else:
                bound[name] = copy.deepcopy(item.default)
        if faults:
            raise BadParameters("; ".join(faults[:10]))
        return bound

    def _unknown(self, name: object) -> str:
        takes = f"it takes {', '.join(self._items)}" if self._items else "it takes none"
        near = difflib.get_close_matches(str(name)[:80], self._items, n=1)
        hint = f"did you mean {near[0]!r}?" if near else takes
        return f"there is no parameter {_short.repr(name)}: {hint}"


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


def to_json(values: Mapping[str, object]) -> dict[str, object]:
    """Bound parameters as JSON values, for a record or a message."""
    plain: dict[str, object] = msgspec.to_builtins(values, enc_hook=_to_json, str_keys=True)
    return plain


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
    if parameter.annotation is parameter.empty:
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
    result = Parameter(name, hint, parameter.default)
    try:
        _schema([result])
    except (TypeError, NotImplementedError) as error:
        raise TypeError(
            f"parameter {name!r} has the type {result.expected}, which has no form in JSON: {error}"
        ) from error
    if parameter.default is not parameter.empty:
        _check_default(result)
    return result


def _check_default(item: Parameter) -> None:
    default = item.default
    try:
        # What had to be changed to fit does not: the function itself would get it unchanged.
        # (NaN differs from itself and is a good float all the same.)
        fits = item.convert(default) == default or default != default
    except msgspec.ValidationError:
        fits = False
    if not fits:
        hint = f"{item.expected} | None" if default is None else type(default).__name__
        raise TypeError(
            f"parameter {item.name!r} has the default {_short.repr(default)}, "
            f"which is not {item.expected}: write {item.name}: {hint}"
        )


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


def _schema(items: list[Parameter]) -> dict[str, object]:
    fields: list[tuple[str, type]] = [(item.name, item.type) for item in items]
    model = msgspec.defstruct(_MODEL, fields, kw_only=True, forbid_unknown_fields=True)
    _, components = msgspec.json.schema_components([model], schema_hook=_hook_schema)
    schema: dict[str, Any] = components.pop(_MODEL)
    # The defaults are put in here: a struct accepts fewer of them than a function does.
    for item in items:
        if item.default is not _REQUIRED:
            schema["properties"][item.name]["default"] = msgspec.to_builtins(
                item.default, enc_hook=_to_json, str_keys=True
            )
    schema["required"] = [item.name for item in items if item.default is _REQUIRED]
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema


def _hook_schema(kind: type) -> dict[str, object]:
    if isinstance(kind, type) and issubclass(kind, PurePath):
        return {"type": "string", "format": "path"}
    raise NotImplementedError(f"{kind!r} is not supported")


def _from_json(kind: type, value: object) -> object:
    if issubclass(kind, PurePath):
        if isinstance(value, str | PurePath):
            return kind(value)
        raise ValueError(f"Expected str, got {type(value).__name__}")
    raise NotImplementedError(f"{kind!r} is not supported")


def _to_json(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")
