"""The tables ``[parameters.<name>]`` of a command's TOML file, as types and defaults."""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec

from flask_realtime.commands.argv import NAME
from flask_realtime.commands.commandparameters import CommandFault
from flask_realtime.parameters import MultiLine, Parameter, Secret, Upload
from flask_realtime.parameters.values import LARGEST, MOST_CHARACTERS
from flask_realtime.tomltext import unknown_key

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A value of ``type``: its hint, and the keys that only some types have."""

    hint: Callable[[Table], Any]
    keys: tuple[str, ...] = ()
    default: bool = True  # may have one


def _choices(table: Table) -> Any:
    return operator.getitem(Literal, tuple(table["choices"]))


def _list(table: Table) -> Any:
    if "choices" in table:
        return GenericAlias(list, _choices(table))
    item = msgspec.Meta(max_length=table.get("max_length"), pattern=table.get("pattern"))
    return GenericAlias(list, operator.getitem(Annotated, (str, item)))


def _file(table: Table) -> Any:
    return Annotated[Path, Upload(table["max_mib"]) if "max_mib" in table else Upload()]


KINDS: dict[str, Kind] = {
    "text": Kind(lambda table: str, ("max_length", "pattern")),
    "multi-line text": Kind(lambda table: MultiLine, ("max_length",)),
    "integer": Kind(lambda table: int, ("minimum", "maximum")),
    "number": Kind(lambda table: float, ("minimum", "maximum")),
    "boolean": Kind(lambda table: bool),
    "date": Kind(lambda table: datetime.date),
    "choice": Kind(_choices, ("choices",)),
    "list of text": Kind(_list, ("choices", "max_length", "pattern")),
    "secret": Kind(lambda table: Secret, ("max_length",), default=False),
    "file": Kind(_file, ("max_mib",), default=False),
}
_COMMON = ("type", "title", "help", "default", "required")
# Between which they must be.
_NUMBERS = {
    "minimum": (-LARGEST, LARGEST),
    "maximum": (-LARGEST, LARGEST),
    "max_length": (1, MOST_CHARACTERS),
    "max_mib": (0.001, 1_000_000),
}
_BOUNDS = ("minimum", "maximum", "max_length", "pattern", "max_mib", "choices")


def read_tables(tables: object) -> tuple[dict[str, Any], dict[str, object], list[CommandFault]]:
    """The types and the defaults that `tables` give the parameters, and all that is wrong."""
    types: dict[str, Any] = {}
    defaults: dict[str, object] = {}
    faults: list[CommandFault] = []
    if not isinstance(tables, dict):
        return {}, {}, [CommandFault("parameters must be tables: [parameters.name]", "parameters")]
    for name, table in tables.items():
        at = ("parameters", name)
        if not re.fullmatch(NAME, name):
            message = f"{name[:80]!r} cannot be a parameter: take letters, digits and _"
            faults.append(CommandFault(message, *at))
            continue
        if not isinstance(table, dict):
            faults.append(CommandFault(f"write it as a table: [parameters.{name}]", *at))
            continue
        wrong = [CommandFault(message, *at, key) for key, message in _faults(table)]
        if not wrong:
            try:
                types[name] = _hint(table)
                if "default" in table:
                    defaults[name] = _default(name, types[name], table["default"])
                elif table.get("required") is False:
                    defaults[name] = None
            except _DefaultFault as error:
                wrong = [CommandFault(str(error), *at, "default")]
            except TypeError as error:
                wrong = [CommandFault(f"parameter {name!r}: {error}", *at)]
        faults += wrong
    return types, defaults, faults


class _DefaultFault(ValueError):
    pass


def _kind_name(table: Table) -> str:
    return str(table.get("type", "choice" if "choices" in table else "text"))


def _faults(table: Table) -> Iterable[tuple[str, str]]:
    kind_name = _kind_name(table)
    kind = KINDS.get(kind_name)
    if kind is None:
        yield "type", f"there is no type {kind_name[:80]!r}: there are {', '.join(KINDS)}"
        return
    for key, value in table.items():
        if key not in (*_COMMON, *_BOUNDS):
            yield key, unknown_key(key, (*_COMMON, *kind.keys))
        elif key in _BOUNDS and key not in kind.keys:
            yield key, f"{key} does not fit the type {kind_name!r}: {_who_has(key)}"
        elif message := _fault_of_value(key, value, whole=kind_name == "integer"):
            yield key, message
    if kind_name == "choice" and "choices" not in table:
        yield "type", "a choice needs choices = [...]"
    least, most = table.get("minimum"), table.get("maximum")
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        yield "maximum", f"maximum is {most}, less than minimum, which is {least}"
    if "default" in table and not kind.default:
        yield "default", f"a {kind_name} has no default"
    if table.get("required") is False and "default" in table:
        yield "required", "what has a default need not be given: leave out required"


def _who_has(key: str) -> str:
    return "it is for " + ", ".join(name for name, kind in KINDS.items() if key in kind.keys)


def _fault_of_value(key: str, value: object, *, whole: bool) -> str:
    if key in ("title", "help", "type") and not isinstance(value, str):
        return f"{key} is {value!r:.80}, which is no text"
    if key == "required" and not isinstance(value, bool):
        return f"required is {value!r:.80}: write true or false"
    if key == "choices" and not (
        isinstance(value, list)
        and value
        and all(isinstance(each, str) for each in value)
        and len(set(value)) == len(value)
    ):
        return f"choices is {value!r:.80}: write a list of different texts"
    if key in _NUMBERS:
        least, most = _NUMBERS[key]
        whole = whole or key == "max_length"
        right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not right or not least <= value <= most:  # type: ignore[operator]
            kind = "a whole number" if whole else "a number"
            return f"{key} is {value!r:.80}: write {kind} between {least:,} and {most:,}"
    if key == "pattern":
        try:
            re.compile(value)  # type: ignore[call-overload]
        except (TypeError, re.error) as error:
            return f"pattern is no regular expression: {error}"
    return ""


def _hint(table: Table) -> Any:
    kind_name = _kind_name(table)
    hint = KINDS[kind_name].hint(table)
    bounds: dict[str, Any] = {"description": table.get("help"), "title": table.get("title")}
    if kind_name != "list of text":  # whose bounds are those of its items
        bounds |= {
            "ge": table.get("minimum"),
            "le": table.get("maximum"),
            "max_length": table.get("max_length"),
            "pattern": table.get("pattern"),
        }
    told = {key: value for key, value in bounds.items() if value is not None}
    if told:
        hint = operator.getitem(Annotated, (hint, msgspec.Meta(**told)))
    return hint | None if table.get("required") is False else hint


def _default(name: str, hint: Any, value: object) -> object:
    """`value`, TOML's, as the job's parameter would be: a date, say."""
    parameter = Parameter(name, hint, value)
    try:
        return parameter.convert(value)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`", "")
        raise _DefaultFault(
            f"default must be {parameter.expected}, not {value!r:.80} ({reason})"
        ) from None
