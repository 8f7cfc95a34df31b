"""Argument templates: a value stays in its place, whole, and becomes nothing else."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.commands.argv import (
    MAX_ARGUMENT_BYTES,
    Argument,
    Manners,
    fill_argv,
    fill_text,
    parse_argument,
)
from flask_realtime.errors import BadParameters

# What a shell, a template language or an argument parser would make something of.
TRICKY = string.printable.replace("\n", "").replace("\r", "").replace("\t", "") + "é世🙂"
plain_texts = st.text(
    st.one_of(st.sampled_from(TRICKY.replace("\x0b", "").replace("\x0c", ""))), max_size=8
)
names = st.sampled_from(["a", "b_2", "Target"])
pieces = st.lists(
    st.one_of(plain_texts.map(lambda text: ("text", text)), names.map(lambda n: ("name", n)))
)


def fill(argv: list[str], values: dict[str, object], manners: Manners | None = None) -> list[str]:
    return fill_argv([parse_argument(each) for each in argv], values, manners or Manners())


def as_written(parts: list[tuple[str, str]]) -> str:
    return "".join(
        text.replace("{", "{{").replace("}", "}}") if kind == "text" else "{" + text + "}"
        for kind, text in parts
    )


@given(st.lists(pieces, min_size=1, max_size=5), plain_texts, plain_texts, plain_texts)
def test_no_value_becomes_more_than_its_argument_and_none_is_lost(
    argv: list[list[tuple[str, str]]], a: str, b: str, target: str
) -> None:
    values: dict[str, object] = {"a": a, "b_2": b, "Target": target}
    expected = [
        "".join(text if kind == "text" else str(values[text]) for kind, text in parts)
        for parts in argv
    ]
    # After "--" whatever comes is an operand.
    assert fill(["--", *map(as_written, argv)], values) == ["--", *expected]


@given(st.lists(plain_texts, max_size=5), plain_texts)
def test_a_list_is_as_many_arguments_as_it_has_items(items: list[str], last: str) -> None:
    values: dict[str, object] = {"files": items, "last": last}
    filled = fill(["tool", "--", "{files}", "x{last}"], values)
    assert filled == ["tool", "--", *items, "x" + last]


@given(plain_texts, plain_texts)
def test_what_a_value_puts_first_is_no_option(first: str, second: str) -> None:
    values: dict[str, object] = {"a": first, "b": second}
    for argument in ("{a}", "{a}{b}", "{a}.txt", "{a}-x"):
        expected = argument.format(**values)
        if expected.startswith("-"):
            with pytest.raises(BadParameters, match="begins with '-'"):
                fill(["tool", argument], values)
        else:
            assert fill(["tool", argument], values) == ["tool", expected]
        assert fill(["tool", f"--name={argument}"], values) == ["tool", f"--name={expected}"]


def test_an_option_is_refused_with_what_its_author_can_write() -> None:
    with pytest.raises(BadParameters) as caught:
        fill(["rm", "{target}"], {"target": "-rf"})
    assert caught.value.message == (
        "target begins with '-' ('-rf'), and the command would take it for an option; "
        "the job's author can write '--' before '{target}', or --target={target}"
    )
    with pytest.raises(BadParameters, match="count begins with '-'"):
        fill(["head", "{count}"], {"count": -5})
    with pytest.raises(BadParameters, match="files begins with '-'"):
        fill(["rm", "{files}"], {"files": ["a", "-r"]})


def test_a_double_dash_counts_only_when_the_author_wrote_it() -> None:
    with pytest.raises(BadParameters, match="a begins with '-'"):
        fill(["rm", "{a}", "{b}"], {"a": "--", "b": "-rf"})
    with pytest.raises(BadParameters, match="b begins with '-'"):
        fill(["rm", "x{a}", "{b}"], {"a": "--", "b": "-rf"})
    with pytest.raises(BadParameters, match="b begins with '-'"):
        fill(["rm", "{b}", "--"], {"b": "-rf"})


def test_the_authors_own_words_may_be_options() -> None:
    manners = Manners(closed={"mode"})
    assert fill(["tool", "{mode}"], {"mode": "--fast"}, manners) == ["tool", "--fast"]
    with pytest.raises(BadParameters, match="mode begins with '-'"):
        fill(["tool", "{mode}{rest}"], {"mode": "-", "rest": "-x"}, manners)


def test_a_flag_is_there_or_is_not() -> None:
    argv = ["tool", "{dry?--dry-run}", "{deep?-r -f}", "end"]
    assert fill(argv, {"dry": True, "deep": False}) == ["tool", "--dry-run", "end"]
    assert fill(argv, {"dry": False, "deep": True}) == ["tool", "-r -f", "end"]
    assert fill(argv, {"dry": False, "deep": None}) == ["tool", "end"]


def test_an_argument_of_nothing_is_left_out_and_an_empty_one_is_not() -> None:
    argv = ["tool", "--since={since}", "{since}", "{name}"]
    assert fill(argv, {"since": None, "name": ""}) == ["tool", ""]
    assert fill(argv, {"since": "x", "name": ""}) == ["tool", "--since=x", "x", ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (7, "7"), (1.5, "1.5"), (10**30, str(10**30)), ("é", "é")],
)
def test_values_are_written_as_json_has_them(value: object, text: str) -> None:
    assert fill(["tool", "{x}", "--x={x}"], {"x": value}) == ["tool", text, f"--x={text}"]


@pytest.mark.parametrize(
    "bad", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"]
)
@pytest.mark.parametrize("argument", ["{x}", "--x={x}", "{items}"])
def test_control_characters_are_refused(argument: str, bad: str) -> None:
    values: dict[str, object] = {"x": f"a{bad}b", "items": ["a", f"a{bad}"]}
    name = "items" if "items" in argument else "x"
    with pytest.raises(BadParameters, match=rf"^{name} has .*\(.*\), which its argument must not"):
        fill(["tool", "--", argument], values)


def test_a_text_of_lines_may_have_lines_and_no_other_control_characters() -> None:
    manners = Manners(lines={"x"})
    text = "a\r\n\tb\n"
    assert fill(["tool", "{x}"], {"x": text}, manners) == ["tool", text]
    for bad in "\0\x1b\x85":
        with pytest.raises(BadParameters, match=r"^x has a control character"):
            fill(["tool", "{x}"], {"x": bad}, manners)


@pytest.mark.parametrize("half", [0xD800, 0xDC80])
def test_half_a_character_is_refused(half: int) -> None:
    with pytest.raises(BadParameters, match=r"^x has .*half a character"):
        fill(["tool", "{x}"], {"x": chr(half)})


def test_what_is_longer_than_the_system_takes_is_refused() -> None:
    fits = "é" * (MAX_ARGUMENT_BYTES // 2)
    assert fill(["tool", "{x}"], {"x": fits}) == ["tool", fits]
    with pytest.raises(BadParameters, match=r"^x is too long: an argument has 127 KiB at most"):
        fill(["tool", "{x}"], {"x": fits + "éé"})
    with pytest.raises(BadParameters, match=r"^x is too long"):
        fill(["tool", "--x={x}"], {"x": fits})
    with pytest.raises(BadParameters, match="more than the 1024 KiB"):
        fill(["tool", "{x}"], {"x": ["a"] * 200_000})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "brace of no placeholder at character 1"),
        ("ab}c", "brace of no placeholder at character 3"),
        ("{}", "brace of no placeholder"),
        ("{0}", "brace of no placeholder"),
        ("{_x}", "brace of no placeholder"),
        ("{a b}", "brace of no placeholder"),
        ("{a.b}", "brace of no placeholder"),
        ("{a!r}", "brace of no placeholder"),
        ("{a:>5}", "brace of no placeholder"),
        ("{é}", "brace of no placeholder"),
        ("{a?}", "brace of no placeholder"),
        ("{{a}", "brace of no placeholder at character 4"),
        ("--x={a?b}", "must be an argument of its own"),
        ("a\0b", "has a NUL"),
    ],
)
def test_what_is_no_template_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_argument(written)


def test_braces_are_doubled() -> None:
    assert parse_argument("{{a}}").literal == "{a}"
    assert parse_argument("a{{").literal == "a{"
    assert fill(["{{{x}}}"], {"x": "{y}"}) == ["{{y}}"]
    assert parse_argument("").literal == ""


def test_a_variable_may_begin_with_anything() -> None:
    def variable(written: str, **values: Any) -> str | None:
        argument: Argument = parse_argument(written)
        return fill_text(argument, values, Manners())

    assert variable("{x}", x="-rf") == "-rf"
    assert variable("a{x}b", x="") == "ab"
    assert variable("a{x}b", x=None) is None
    assert variable("{x?1}", x=True) == "1"
    assert variable("{x?1}", x=False) is None
    with pytest.raises(BadParameters, match=r"^x has a control character"):
        variable("{x}", x="a\0")
