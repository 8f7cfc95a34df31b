"""Values as clients send them: what no parameter takes, found within bounded work."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass

DEEPEST = 32  # levels of lists and objects
MOST_ITEMS = 10_000  # of all lists and objects of a start
# Of all texts of a start. They are kept in the record of the run, and one argument of a program
# has at most 128 KiB on Linux. What is longer is an upload.
MOST_CHARACTERS = 65_536
LARGEST = 2**53 - 1  # the whole numbers up to it are exact in JavaScript, as RFC 8259 advises
_LONGEST_BITS = 1024  # of a whole number that may still be a float

# Messages repeat what a client sent; a client may send megabytes.
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 80


@dataclass(slots=True)
class Size:
    """What values have: `items` in all their lists and objects, `characters` in all texts."""

    items: int = 0
    characters: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.items + other.items, self.characters + other.characters)

    @property
    def fault(self) -> str:
        """Why it is too much for a start, or empty."""
        if self.items > MOST_ITEMS:
            return f"all lists and objects together have more than {MOST_ITEMS:,} items"
        if self.characters > MOST_CHARACTERS:
            return (
                f"all texts together have more than {MOST_CHARACTERS:,} characters; "
                "a job can take an upload instead"
            )
        return ""


def shown(value: object) -> str:
    """The value for a message, cut short."""
    if isinstance(value, int) and value.bit_length() > _LONGEST_BITS:
        return "a number of hundreds of digits"  # Python refuses to write the longest ones out
    return _short.repr(value)


def fault_in(value: object, size: Size) -> str:
    """Why no parameter takes `value`, or empty. Counts it into `size`, as far as it looks."""
    waiting = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, dict | list | tuple):
            size.items += len(each)
            if size.fault:
                return size.fault
            if depth > DEEPEST:
                return f"it is nested more than {DEEPEST} levels deep"
            inner = [*each, *each.values()] if isinstance(each, dict) else each
            waiting += [(item, depth + 1) for item in inner]
        elif fault := _fault_in_one(each, size):
            return fault
    return ""


def _fault_in_one(value: object, size: Size) -> str:
    if isinstance(value, str):
        size.characters += len(value)
        return size.fault or text_fault(value)
    if isinstance(value, float):
        return "" if math.isfinite(value) else "there is no such number in JSON"
    if isinstance(value, int):
        return "" if value.bit_length() <= _LONGEST_BITS else "the number is too large"
    return "" if value is None else f"{type(value).__name__} is no type of JSON"


def text_fault(text: str) -> str:
    """Why no parameter takes `text`, or empty."""
    if "\0" in text:
        return "it has a NUL character, which no file name, argument or variable can have"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it has half of a surrogate pair, which is no character"
    return ""


def inexact_in(value: object) -> str:
    """Why a whole number in `value`, which is JSON, would not come back as it was, or empty."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, int) and abs(each) > LARGEST:
            return f"whole numbers beyond {LARGEST:,} are not exact in a browser: take it as text"
    return ""
