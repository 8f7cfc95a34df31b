"""The JSON Schema of parameters: all that a form needs to know."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from flask_realtime.parameters.hints import choices_of, inside, with_formats
from flask_realtime.parameters.parameter import Parameter, hook_schema, to_builtins

# Stands beside the names of the types that parameters use.
_MODEL = "FlaskRealtimeParameters"


def schema_of(items: Iterable[Parameter]) -> dict[str, object]:
    """Raises TypeError or NotImplementedError for what has no form in JSON."""
    items = list(items)
    fields: list[tuple[str, Any]] = [(item.name, with_formats(item.wire_type)) for item in items]
    model = msgspec.defstruct(_MODEL, fields, kw_only=True, forbid_unknown_fields=True)
    _, components = msgspec.json.schema_components([model], schema_hook=hook_schema)
    orders = [choices_of(each) for item in items for each in inside(item.wire_type)]
    _order_choices(components, {_key(order): order for order in orders if order})
    schema: dict[str, Any] = components.pop(_MODEL)
    # The defaults are put in here: a struct accepts fewer of them than a function does.
    for item in items:
        if item.default is not inspect.Parameter.empty:
            schema["properties"][item.name]["default"] = to_builtins(item.default)
    schema["required"] = [item.name for item in items if item.default is inspect.Parameter.empty]
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema


def with_max_bytes(schema: Any, most: int) -> Any:
    """A copy of `schema` whose uploads have `most` bytes, or fewer."""
    if isinstance(schema, list):
        return [with_max_bytes(each, most) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {name: with_max_bytes(each, most) for name, each in schema.items()}
    if schema.get("format") == "upload":
        copied["maxBytes"] = min(schema["maxBytes"], most)
    return copied


def _order_choices(schema: object, orders: dict[object, list[Any]]) -> None:
    """Put the choices into the order in which they were written; msgspec sorts them."""
    if isinstance(schema, list):
        for each in schema:
            _order_choices(each, orders)
    elif isinstance(schema, dict):
        choices = schema.get("enum")
        if isinstance(choices, list):
            schema["enum"] = orders.get(_key(choices), choices)
        for each in schema.values():
            _order_choices(each, orders)


def _key(choices: list[Any]) -> object:
    return frozenset((type(choice).__name__, choice) for choice in choices)
