"""What is searched for, as RE2 understands it: no pattern takes more than linear time."""

from __future__ import annotations

import re
from typing import Any

import re2  # type: ignore[import-untyped]  # it ships no type information

from flask_realtime.errors import BadPattern
from flask_realtime.search.ansi import ESC, SEQUENCE

MAX_LENGTH = 1000  # characters of a pattern
# Bytes for the program and its automaton. The interpreter's lock is held while a pattern is
# compiled: 20 ms at most with this, 120 ms with RE2's own 8 MiB (measured 2026-11).
MAX_MEMORY = 2 << 20
MAX_MARKED = 64  # characters of a text that is looked for between escape sequences as well
MAX_WORDS = 200  # characters of what RE2 says about a pattern: it may repeat all of it

# What would tell where a piece of the output begins and ends; the ends of a line are meant.
_ANCHORS = {r"\A": "(?m:^)", r"\z": "(?m:$)"}
_TOKEN = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\(\?[a-zA-Z]*-[a-zA-Z]*m", re.DOTALL)


class Pattern:
    r"""A text, or a regular expression, to be found within lines. For any thread.

    Lines end at "\n", and no match contains one; `^` and `$` stand for the ends of a line.
    Raises BadPattern.
    """

    def __init__(self, query: str, *, is_regex: bool = False, match_case: bool = False) -> None:
        if not query:
            raise BadPattern('"q" is empty: say what to search for')
        if len(query) > MAX_LENGTH:
            raise BadPattern(f"the pattern has {len(query)} characters; {MAX_LENGTH} is the limit")
        if not is_regex and "\n" in query:
            raise BadPattern("the text to search for spans lines; each line is searched by itself")
        try:
            pattern = query.encode()
        except UnicodeEncodeError as error:
            raise BadPattern("the pattern holds half a surrogate pair, no character") from error
        if is_regex:
            pattern = b"(?m)" + _TOKEN.sub(_for_lines, query).encode()
        self._compiled = _compiled(pattern, match_case, is_literal=not is_regex)
        self._marked: Any = None
        if not is_regex and len(query) <= MAX_MARKED:
            characters = [re2.escape(character).encode() for character in query]
            self._marked = _compiled((b"(?:" + SEQUENCE + b")*").join(characters), match_case)

    def may_be_in(self, raw: bytes) -> bool:
        """False when no line of some output matches, by what the output is as it was printed.

        That spares taking its escape sequences out, which costs ten times as much.
        """
        return self._marked is None or ESC not in raw or self._marked.search(raw) is not None

    def find(self, text: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Where the first match in [start, end) is; what is around that is seen as its context.

        Does not hold the interpreter's lock. At worst 0.1 MB/s (a?{900}), usually above 500.
        """
        found = self._compiled.search(text, start, end)
        return None if found is None else found.span()


def _compiled(pattern: bytes, match_case: bool, *, is_literal: bool = False) -> Any:
    options = re2.Options()
    options.literal = is_literal
    options.case_sensitive = match_case
    options.never_nl = True
    options.never_capture = True
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        raise BadPattern(f"RE2 does not take the pattern: {_words(error)}") from error
    finally:
        re2.purge()  # its cache would keep the memory of the last 128 patterns


def _for_lines(token: re.Match[str]) -> str:
    if token[0] == r"\C" or token[0].startswith("(?"):
        raise BadPattern(f"{token[0]} is not possible in a search, which goes by lines")
    return _ANCHORS.get(token[0], token[0])


def _words(error: re2.error) -> str:
    said = error.args[0]
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return words.replace("(?m)", "", 1)[:MAX_WORDS]
