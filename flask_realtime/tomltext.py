"""TOML with the lines of its keys, which the standard library's reader does not tell."""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Collection
from typing import Any

from flask_realtime.errors import ConfigurationError

Path = tuple[str, ...]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BLANK = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_BARE = re.compile(r"[^\s,\]}#]+(?: \d\d:\d\d[^\s,\]}#]*)?")  # a blank may part a date and its time
_KEY = re.compile(r'[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|\'([^\']*)\')[ \t]*')
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}',
        r"'''(?:[^']|'(?!''))*'{3,5}",
        r'"(?:[^"\\]|\\.)*"',
        r"'[^']*'",
    )
)


class TomlFault(ValueError):
    """It is no TOML. `line` is where, or None at the end."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> dict[str, Any]:
    """Read TOML. Raises TomlFault."""
    try:
        tables: dict[str, Any] = _reader().loads(text)
    except ValueError as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else None
        message = _PLACE.sub("", str(error))
        if place and place[2]:
            message += f" (column {place[2]})"
        raise TomlFault(f"no TOML: {message}", line) from error
    return tables


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1 on, in which each key of `text` is written first, by its path of names.

    Tables are keys too. `text` must be good TOML: it is only scanned here, as far as needed.
    """
    scan = _Scan(text)
    scan.document()
    return scan.lines


def unknown_key(key: str, known: Collection[str]) -> str:
    """What to say of a key that is not among the `known` ones."""
    near = difflib.get_close_matches(key, known, n=1)
    there = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    return f"there is no key {key[:80]!r}: {there}"


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1

    def document(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) and self._at < len(self._text):
            if self._text[self._at] == "[":
                self._at += 2 if self._text.startswith("[[", self._at) else 1
                table = self._key(())
                self._at = self._text.index("]", self._at)
                self._at += 2 if self._text.startswith("]]", self._at) else 1
            else:
                self._pair(table)

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self, table: Path) -> Path:
        """A key with dots; its line is noted for each of its parts."""
        line, path = self._line_here(), table
        while True:
            part = _KEY.match(self._text, self._at)
            assert part is not None, "this was read as TOML before"
            self._at = part.end()
            bare, basic, literal = part.groups()
            name = bare or literal or ""
            if basic is not None:
                name = parse(f'name = "{basic}"')["name"]
            path = (*path, name)
            self.lines.setdefault(path, line)
            if not self._text.startswith(".", self._at):
                return path
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening in "[{":
            closing = "]" if opening == "[" else "}"
            self._at += 1
            while self._skip(_BLANK) and self._text[self._at] != closing:
                if opening == "{":
                    self._pair(path)
                else:
                    self._value(path)
            self._at += 1
        elif opening in "\"'":
            assert any(self._skip(string) for string in _STRINGS), "this was read as TOML before"
        else:
            self._skip(_BARE)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found is not None

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _reader() -> Any:
    # In the standard library from Python 3.11 on; before, "tomli" is the same.
    for name in ("tomllib", "tomli"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigurationError("Python 3.10 reads no TOML by itself: pip install tomli")
