"""Argument lists with placeholders: a value fills its place in one argument, and is never parsed.

Pure: no file is looked at, no shell is involved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flask_realtime.errors import BadParameters

# Linux takes no longer argument (MAX_ARG_STRLEN, its final NUL included), and about 2 MiB of all
# arguments and the environment together (execve(2), "Limits on size of arguments").
MAX_ARGUMENT_BYTES = 32 * 4096 - 1
MAX_ARGV_BYTES = 1 << 20
_POINTER_BYTES = 8

NAME = r"[A-Za-z][A-Za-z0-9_]*"  # of a placeholder
_TOKEN = re.compile(rf"\{{\{{|\}}\}}|\{{({NAME})(?:\?([^{{}}]+))?\}}|[^{{}}]+|.", re.DOTALL)
_LINE_ENDS = "\n\r\t"  # that a text of several lines may have
_NEVER = {"Cc": "a control character", "Zl": "a line separator", "Zp": "a paragraph separator"}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``{name}``; or ``{name?flag}``, which is `flag` where the value is true."""

    name: str
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as it was written, and what it consists of."""

    written: str
    pieces: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Placeholder))

    @property
    def only(self) -> Placeholder | None:
        """The placeholder that is all of it, if that is so."""
        first = self.pieces[0] if len(self.pieces) == 1 else None
        return first if isinstance(first, Placeholder) else None

    @property
    def literal(self) -> str | None:
        """Its text if it has no placeholder."""
        return None if self.placeholders else "".join(map(str, self.pieces))


def parse_argument(written: str) -> Argument:
    """Read one argument; ``{{`` and ``}}`` are braces. Raises ValueError, which says what to do."""
    pieces: list[str | Placeholder] = []
    for token in _TOKEN.finditer(written):
        name, flag = token.groups()
        if name:
            pieces.append(Placeholder(name, flag))
            continue
        text = token[0]
        if text in ("{", "}"):
            raise ValueError(
                f"{written[:200]!r} has a brace of no placeholder at character {token.start() + 1}:"
                " write {name}, of letters, digits and _, or {{ and }} for the braces themselves"
            )
        text = {"{{": "{", "}}": "}"}.get(text, text)
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += text
        else:
            pieces.append(text)
    argument = Argument(written, tuple(pieces))
    if len(pieces) > 1 and any(each.flag is not None for each in argument.placeholders):
        raise ValueError(f"{written[:200]!r}: a {{name?flag}} must be an argument of its own")
    if "\0" in written:
        raise ValueError(f"{written[:200]!r} has a NUL, which no argument can have")
    return argument


@dataclass(frozen=True, slots=True)
class Manners:
    """What is known of the parameters, by their names.

    `closed` are those whose values the job's author wrote, a choice say: these may look like
    options. `lines` may have several lines. `hidden` are not shown in messages.
    """

    closed: Collection[str] = ()
    lines: Collection[str] = ()
    hidden: Collection[str] = ()


def fill_argv(
    arguments: Sequence[Argument], values: Mapping[str, object], manners: Manners
) -> list[str]:
    """Put `values`, JSON values by name, into `arguments`.

    An argument that is nothing but a placeholder becomes one argument for each item of a list. An
    argument with a value of None is left out, and so is a flag that is not true.

    Raises BadParameters for what would be taken for an option, and for text that no argument or
    no line can hold.
    """
    filled: list[str] = []
    operands_only = False  # after a "--" of the author
    for argument in arguments:
        literal = argument.literal
        if literal is not None:
            operands_only = operands_only or literal == "--"
            filled.append(literal)
            continue
        for text in _texts(argument, values, manners):
            if not operands_only:
                _refuse_option(argument, text, manners)
            filled.append(text)
    if sum(len(text.encode()) + 1 + _POINTER_BYTES for text in filled) > MAX_ARGV_BYTES:
        raise BadParameters(
            f"the parameters are more than the {MAX_ARGV_BYTES >> 10} KiB that a command can take"
        )
    return filled


def fill_text(argument: Argument, values: Mapping[str, object], manners: Manners) -> str | None:
    """As an argument that may begin with anything, of an environment variable; None: left out."""
    return next(iter(_texts(argument, values, manners)), None)


def _texts(argument: Argument, values: Mapping[str, object], manners: Manners) -> list[str]:
    only = argument.only
    if only is not None and only.flag is not None:
        return [only.flag] if values[only.name] is True else []
    if only is not None and isinstance(values[only.name], list | tuple):
        items: Sequence[object] = values[only.name]  # type: ignore[assignment]
        return [_text_of(only.name, item, manners) for item in items if item is not None]
    if any(values[each.name] is None for each in argument.placeholders):
        return []
    text = "".join(
        piece if isinstance(piece, str) else _text_of(piece.name, values[piece.name], manners)
        for piece in argument.pieces
    )
    if len(text.encode()) > MAX_ARGUMENT_BYTES:
        names = ", ".join(dict.fromkeys(each.name for each in argument.placeholders))
        raise BadParameters(
            f"{names} is too long: an argument has {MAX_ARGUMENT_BYTES >> 10} KiB at most"
        )
    return [text]


def _text_of(name: str, value: object, manners: Manners) -> str:
    """`value` as JSON has it, text without its quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    for character in value:
        category = unicodedata.category(character)
        if category == "Cs":
            raise BadParameters(f"{name} has {character!a}, half a character: UTF-8 has none")
        if category in _NEVER and not (name in manners.lines and character in _LINE_ENDS):
            raise BadParameters(
                f"{name} has {_NEVER[category]} ({character!a}), which its argument must not have"
            )
    if len(value.encode()) > MAX_ARGUMENT_BYTES:
        raise BadParameters(
            f"{name} is too long: an argument has {MAX_ARGUMENT_BYTES >> 10} KiB at most"
        )
    return value


def _refuse_option(argument: Argument, text: str, manners: Manners) -> None:
    """Refuse what begins with "-" because of a value that somebody typed."""
    first = argument.pieces[0]
    if not text.startswith("-") or not isinstance(first, Placeholder) or first.flag is not None:
        return
    # What comes first may be empty, and the next one stand in its place.
    names = [piece.name for piece in argument.pieces if isinstance(piece, Placeholder)]
    if first.name in manners.closed and len(names) == 1:
        return
    shown = "***" if any(name in manners.hidden for name in names) else repr(text[:80])
    raise BadParameters(
        f"{first.name} begins with '-' ({shown}), and the command would take it for an "
        f"option; the job's author can write '--' before {argument.written[:80]!r}, or "
        f"--{first.name}={{{first.name}}}"
    )
