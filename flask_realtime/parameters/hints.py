"""Type hints, taken apart and put together again."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import operator
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

import msgspec

NONE = type(None)
# Of values without an offset: JSON Schema's own formats, of RFC 3339, demand one.
_LOCAL_FORMATS = {datetime.datetime: "date-time-local", datetime.time: "time-local"}


@dataclass(frozen=True, slots=True)
class Outline:
    """A hint without its outermost `Annotated`, which is in `notes`, and without ``| None``."""

    kind: Any
    notes: tuple[object, ...]
    optional: bool


def outline(hint: Any) -> Outline:
    """Take `hint` apart."""
    notes: tuple[object, ...] = ()
    optional = False
    while True:
        if typing.get_origin(hint) is Annotated:
            notes = (*hint.__metadata__, *notes)
            hint = hint.__origin__
        elif NONE in (others := _members(hint)) and len(others) == 2:
            optional = True
            hint = next(each for each in others if each is not NONE)
        else:
            return Outline(hint, notes, optional)


def annotated(kind: Any, *notes: object) -> Any:
    """``Annotated[kind, *notes]``, or `kind` alone without any."""
    return operator.getitem(Annotated, (kind, *notes)) if notes else kind


def optional(kind: Any) -> Any:
    return Union[kind, None]  # noqa: UP007 - it is made here, not written


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union; empty for any other hint."""
    is_union = typing.get_origin(hint) in (Union, types.UnionType)
    return typing.get_args(hint) if is_union else ()


def in_words(hint: Any) -> str:
    """The type for a message: without bounds, which a message says for itself."""
    if hint is NONE:
        return "None"
    kind = outline(hint)
    if kind.optional:
        return f"{in_words(kind.kind)} | None"
    hint = kind.kind
    if choices := choices_of(hint):
        return "one of " + ", ".join(map(repr, choices))
    if members := _members(hint):
        return " | ".join(map(in_words, members))
    name = getattr(typing.get_origin(hint) or hint, "__name__", None)
    if name is None:
        return str(hint).replace("typing.", "")
    inner = [in_words(each) for each in typing.get_args(hint) if each is not ...]
    return f"{name}[{', '.join(inner)}]" if inner else name


def choices_of(hint: Any) -> list[Any]:
    """The values of a Literal or an enum, in the order in which they were written."""
    if typing.get_origin(hint) is Literal:
        return list(typing.get_args(hint))
    if _is_class(hint) and issubclass(hint, enum.Enum):
        return [member.value for member in hint]
    return []


def _is_class(hint: Any) -> bool:
    # Python 3.10 takes list[int] for an instance of type.
    return isinstance(hint, type) and typing.get_origin(hint) is None


def with_formats(hint: Any) -> Any:
    """`hint` with a format for the times that JSON Schema has none for, inside it as well."""
    return _rewritten(hint, _with_format)


def _with_format(hint: Any) -> Any:
    known = _LOCAL_FORMATS.get(hint) if isinstance(hint, type) else None
    return annotated(hint, msgspec.Meta(extra_json_schema={"format": known})) if known else hint


def _rewritten(hint: Any, change: Callable[[Any], Any]) -> Any:
    if typing.get_origin(hint) is Annotated:
        if any(isinstance(note, msgspec.Meta) and note.tz for note in hint.__metadata__):
            return hint  # JSON Schema's format says it
        return annotated(_rewritten(hint.__origin__, change), *hint.__metadata__)
    if members := _members(hint):
        return Union[tuple(_rewritten(each, change) for each in members)]  # noqa: UP007
    origin = typing.get_origin(hint)
    if origin is None or origin is Literal:
        return change(hint)
    inner = tuple(each if each is ... else _rewritten(each, change) for each in hint.__args__)
    return hint.copy_with(inner) if hasattr(hint, "copy_with") else origin[inner]


def inside(hint: Any) -> Iterator[Any]:
    """`hint` and all that it is made of, fields of classes included, each once."""
    waiting = [hint]
    seen: dict[int, Any] = {}  # hints need not be hashable; those that are seen stay alive
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        yield each
        if typing.get_origin(each) is Annotated:
            yield from each.__metadata__
            waiting.append(each.__origin__)
        elif typing.get_origin(each) is not Literal:
            waiting += [typing.get_origin(each), *typing.get_args(each)]
            waiting += _fields(each)


def _fields(kind: Any) -> list[Any]:
    is_record = _is_class(kind) and (
        dataclasses.is_dataclass(kind)
        or issubclass(kind, msgspec.Struct)
        or typing.is_typeddict(kind)
        or hasattr(kind, "_fields")
    )
    return list(typing.get_type_hints(kind, include_extras=True).values()) if is_record else []
