"""The parameters of a command: their types, declared or by their place, and what they may be."""

from __future__ import annotations

import difflib
import inspect
import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from flask_realtime.commands.argv import Argument, Manners
from flask_realtime.parameters import Parameters, Secret, read_parameters
from flask_realtime.parameters.hints import annotated, outline


class CommandFault(ValueError):
    """Why something is no command. `at` is the path of the option to blame, or empty."""

    def __init__(self, message: str, *at: str) -> None:
        super().__init__(message)
        self.at = at


def read_types(
    templates: Sequence[Argument], types: Mapping[str, Any], defaults: Mapping[str, object]
) -> Parameters:
    """The parameters that `templates` use: those of `types` in their order, then the others.

    What has no type is a text, or a truth value that is false by default if it is a flag. A text
    that must be given is not empty, unless its type has a `min_length` of its own. Raises
    CommandFault.
    """
    used = dict.fromkeys(each.name for template in templates for each in template.placeholders)
    for name in types:
        if name not in used:
            near = difflib.get_close_matches(
                str(name), [each for each in used if each not in types]
            )
            hint = f"; did you mean it by {{{near[0]}}}?" if near else ""
            raise CommandFault(
                f"the parameter {name!r} is used by no argument: write {{{name}}} where its value "
                f"belongs{hint}",
                *("parameters", str(name)),
            )
    for name in defaults:
        if name not in used:
            raise CommandFault(f"the default of {name!r:.80} is of no parameter", "defaults")
    flags = {
        each.name
        for template in templates
        for each in template.placeholders
        if each.flag is not None
    }
    items = [
        _item(
            name,
            types.get(name, bool if name in flags else str),
            defaults.get(
                name, False if name in flags and name not in types else inspect.Parameter.empty
            ),
        )
        for name in dict.fromkeys([*types, *used])
    ]
    for item in items:
        # Each for itself first, so that a fault has its parameter.
        _parameters([item.replace(default=item.empty)], "parameters", item.name)
        _parameters([item], "parameters", item.name, "default")
    return _parameters(items)


def _item(name: str, hint: Any, default: object) -> inspect.Parameter:
    # Python 3.10 would take it.
    if keyword.iskeyword(name):
        raise CommandFault(
            f"{{{name}}} cannot be a parameter, for it is a word of Python: take another name",
            *("parameters", name),
        )
    if default is inspect.Parameter.empty:
        hint = _not_empty(hint)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)


def _not_empty(hint: Any) -> Any:
    """`hint`; a text in it has a character at least, for ``rm -r "$1"/*`` must not get none."""
    whole = outline(hint)
    bounds = [note for note in whole.notes if isinstance(note, msgspec.Meta)]
    if whole.optional or whole.kind not in (str, Secret):
        return hint
    if any(note.min_length is not None for note in bounds):
        return hint
    return annotated(hint, msgspec.Meta(min_length=1))


def _parameters(items: Sequence[inspect.Parameter], *at: str) -> Parameters:
    """By way of a signature, so that a command takes what a function does."""

    def takes() -> None: ...

    running = inspect.Parameter("_running", inspect.Parameter.POSITIONAL_ONLY)
    takes.__signature__ = inspect.Signature([running, *items])  # type: ignore[attr-defined]
    try:
        return read_parameters(takes)
    except TypeError as error:
        raise CommandFault(str(error), *at) from error


@dataclass(frozen=True, slots=True)
class Shape:
    """What the values of a parameter are like, by its JSON Schema."""

    many: bool = False  # may be a list
    closed: bool = False  # all values are known
    lines: bool = False  # a text of several lines
    hidden: bool = False  # a secret
    boolean: bool = False


def shapes_of(model: Parameters) -> dict[str, Shape]:
    """The shape of each parameter. Raises CommandFault for one that no argument can be."""
    return {name: _shape_of(name, model.schema) for name in model.schema["properties"]}  # type: ignore[attr-defined]


def manners_of(shapes: Mapping[str, Shape]) -> Manners:
    return Manners(
        closed=frozenset(name for name, shape in shapes.items() if shape.closed),
        lines=frozenset(name for name, shape in shapes.items() if shape.lines),
        hidden=frozenset(name for name, shape in shapes.items() if shape.hidden),
    )


def _shape_of(name: str, schema: Mapping[str, Any]) -> Shape:
    try:
        return _shape(schema["properties"][name], schema.get("$defs", {}))
    except ValueError as error:
        raise CommandFault(f"parameter {name!r} {error}", "parameters", name) from error


def _shape(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Shape:
    if "$ref" in schema:
        return _shape(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "enum" in schema or "const" in schema:
        return Shape(closed=True)
    if "anyOf" in schema:
        kinds = [
            _shape(each, definitions) for each in schema["anyOf"] if each.get("type") != "null"
        ]
        return Shape(
            many=any(each.many for each in kinds),
            closed=all(each.closed for each in kinds),
            lines=any(each.lines for each in kinds),
            hidden=any(each.hidden for each in kinds),
            boolean=all(each.boolean for each in kinds),
        )
    kind = schema.get("type")
    if kind == "array":
        items = [_shape(each, definitions) for each in _items(schema)]
        if any(each.many for each in items):
            raise ValueError("is a list of lists, which no arguments can be")
        return Shape(
            many=True,
            closed=all(each.closed for each in items),
            lines=any(each.lines for each in items),
        )
    if kind not in ("string", "integer", "number", "boolean", "null"):
        raise ValueError(
            "has a type that is no text: a command takes text, numbers, truth values, dates, "
            "choices, and lists of these"
        )
    return Shape(
        closed=kind in ("boolean", "null"),
        lines=schema.get("format") == "multi-line",
        hidden=schema.get("writeOnly") is True,
        boolean=kind == "boolean",
    )


def _items(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from schema.get("prefixItems", ())
    items = schema.get("items", {} if "prefixItems" not in schema else False)
    if items is not False:
        yield items


def check_places(argument: Argument, shapes: Mapping[str, Shape], *at: str, many: bool) -> None:
    """Refuse a flag that is none, and a list that is not alone, or anywhere unless `many`.

    Raises CommandFault.
    """
    for each in argument.placeholders:
        shape = shapes[each.name]
        if each.flag is not None and not shape.boolean:
            raise CommandFault(
                f"{argument.written!r} is a flag, and {each.name!r} is no bool: declare it as one",
                *at,
            )
        if shape.many and not (many and argument.only is each):
            raise CommandFault(
                f"{argument.written!r} has a list, {each.name!r}: each of its items is an argument,"
                f" so write {{{each.name}}} as one of its own",
                *at,
            )
