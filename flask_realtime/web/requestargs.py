"""The arguments of a GET request, read strictly. For use in a request's context."""

from __future__ import annotations

from flask import request

from flask_realtime.errors import BadOffset, RealtimeError

OFFSETS = ("offset", "after")  # arguments that are one


def whole_number(name: str, default: int, least: int, most: int | None) -> int:
    """The argument `name`, `least` to `most`. Raises RealtimeError, BadOffset for an offset."""
    text = request.args.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and least <= int(text[:20]):
        number = int(text[:20])
        if most is None or number <= most:
            return number
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"
    kind = BadOffset if name in OFFSETS else RealtimeError
    raise kind(f'"{name}" must be a whole number, {bounds}, not {text[:50]!r}')


def flag(name: str) -> bool:
    """The argument `name`, 0 or 1; without it False. Raises RealtimeError."""
    return whole_number(name, 0, 0, 1) == 1
