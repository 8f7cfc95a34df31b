"""A line as a search shows it: cut around the match. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 1000  # characters of a line
_ENOUGH = 4 * (SHOWN + 1)  # bytes that hold as many characters, and one that is cut


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`text`, in which the match is [start, end), in code points; `cut`: it is not all there is."""

    text: str
    start: int
    end: int
    cut: bool


def excerpt(line: bytes, start: int, end: int, *, is_whole: bool = True) -> Excerpt:
    """Show bytes [start, end) of a line, or of a part of one; what is not UTF-8 becomes U+FFFD."""
    before = _decoded(line[max(0, start - _ENOUGH) : start])
    match = _decoded(line[start : min(end, start + _ENOUGH)])
    after = _decoded(line[end : end + _ENOUGH])
    shown = match[:SHOWN]
    room = SHOWN - len(shown)
    # A quarter of the room goes before the match, and more if there is less behind it.
    lead = min(len(before), max(room // 4, room - len(after)))
    tail = min(len(after), room - lead)
    cut = not is_whole or lead + len(shown) + tail < len(before) + len(match) + len(after)
    text = before[len(before) - lead :] + shown + after[:tail]
    return Excerpt(text, lead, lead + len(shown), cut)


def _decoded(part: bytes) -> str:
    return part.decode("utf-8", "replace")
