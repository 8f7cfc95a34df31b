"""Replaces absolute paths in pages and scripts of app servers that cannot be told their prefix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from flask_realtime.proxy.headers import Headers

_TEXT = re.compile(r"\s*(text/html|text/css|(text|application)/(x-)?javascript)\s*(;|$)", re.I)


class Rewriting:
    """`words` maps what the upstream says to what visitors get; "{prefix}" is the public prefix."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = dict(words)

    def __bool__(self) -> bool:
        return bool(self._words)

    @staticmethod
    def request(headers: Headers) -> Headers:
        """Ask for all of it and uncompressed: a part or a packed text cannot be changed."""
        left_out = ("accept-encoding", "range", "if-range")
        return [(name, value) for name, value in headers if name.lower() not in left_out]

    def applies(self, status: int, fields: Mapping[str, Sequence[str]]) -> bool:
        """Whether the answer is a text to be changed; its fields by names in lower case."""
        if not self._words:
            return False
        packed = any(
            value.strip().lower() != "identity" for value in fields.get("content-encoding", ())
        )
        return (
            status != 206
            and not packed
            and any(_TEXT.match(value) for value in fields.get("content-type", ()))
        )

    def pieces(self, pieces: Iterator[bytes], public: str) -> Iterator[bytes]:
        """The text with its words replaced, also those that two pieces share."""
        table = {
            old.encode(): new.replace("{prefix}", public).encode()
            for old, new in self._words.items()
        }
        pattern = re.compile(b"|".join(map(re.escape, sorted(table, key=len, reverse=True))))
        longest = max(map(len, table))
        kept = b""
        for piece in pieces:
            text = kept + piece
            # A word that begins before this is whole; one that begins later may not be.
            safe = max(0, len(text) - longest + 1)
            changed = []
            position = 0
            for found in pattern.finditer(text):
                if found.start() >= safe:
                    break
                changed += [text[position : found.start()], table[found[0]]]
                position = found.end()
            safe = max(safe, position)
            changed.append(text[position:safe])
            kept = text[safe:]
            if out := b"".join(changed):
                yield out
        if kept:
            yield pattern.sub(lambda found: table[found[0]], kept)
