"""TOML: the line of each key, which its reader does not tell, and of what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.tomltext import TomlFault, key_lines, parse

DOCUMENT = '''\
# args = "not this one"
title = "[no.table]"  # timeout = 5
"a key".'with dots' = 1
args = [
    "--x={x}", # = ]
    ["""
nested = 1
"""],
]
description = """
timeout = 7
[parameters.fake]
with "quotes" and \\"""three\\"""
"""
other = \'\'\'
[more.fakes]\'\'\'
since = 2026-01-01 08:30:00
[parameters.x]
type = 'text'
choices = ["a", "]"]

  [ parameters . "y z" ]
  type = "integer"
  limits = { least = 1, "most" = { of = 3 } }
[[tables]]
one = 1
[[tables]]
two = 2
'''


def test_each_key_has_the_line_in_which_it_is_written() -> None:
    assert key_lines(DOCUMENT) == {
        ("title",): 2,
        ("a key",): 3,
        ("a key", "with dots"): 3,
        ("args",): 4,
        ("description",): 10,
        ("other",): 15,
        ("since",): 17,
        ("parameters",): 18,
        ("parameters", "x"): 18,
        ("parameters", "x", "type"): 19,
        ("parameters", "x", "choices"): 20,
        ("parameters", "y z"): 22,
        ("parameters", "y z", "type"): 23,
        ("parameters", "y z", "limits"): 24,
        ("parameters", "y z", "limits", "least"): 24,
        ("parameters", "y z", "limits", "most"): 24,
        ("parameters", "y z", "limits", "most", "of"): 24,
        ("tables",): 25,
        ("tables", "one"): 26,
        ("tables", "two"): 28,
    }


def paths(value: object, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= {(*above, name), *paths(inner, (*above, name))}
    if isinstance(value, list):
        for inner in value:
            found |= paths(inner, above)
    return found


texts = st.text(st.sampled_from("ab=[]{}#\n\t .\"'\\,é"), max_size=12)
values = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3).map(dict)
    ),
    max_leaves=8,
)


def written(value: Any, style: int) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)} = {written(each, style)}" for name, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[ # ]\n" + "".join(f"{written(each, style)},\n" for each in value) + "]"
    if isinstance(value, str) and style == 1 and "'" not in value and "\r" not in value:
        return f"'''\n{value}'''"
    if isinstance(value, str) and style == 2:
        return '"""\n' + json.dumps(value)[1:-1].replace("\\n", "\n") + '"""'
    return json.dumps(value)


@given(st.dictionaries(texts, values, max_size=6), st.integers(0, 2), st.integers(0, 3))
def test_whatever_the_values_hold_no_key_is_missed_or_made_up(
    document: dict[str, Any], style: int, blanks: int
) -> None:
    lines, text = {}, ""
    for name, value in document.items():
        text += "\n" * blanks + "# a = 1\n"
        lines[(name,)] = text.count("\n") + 1
        text += f"{json.dumps(name)} = {written(value, style)} # ''' \"\"\" \n"
    assert parse(text) == document
    found = key_lines(text)
    assert set(found) == paths(document)
    assert {path: line for path, line in found.items() if len(path) == 1} == lines


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = 1\nb = \n", 2, "no TOML: Invalid value"),
        ("a = 1\na = 2\n", 2, "no TOML: Cannot overwrite a value"),
        ('a = "', None, "no TOML: "),
        ("a = [1,", None, "no TOML: "),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int | None, said: str) -> None:
    with pytest.raises(TomlFault, match=said) as caught:
        parse(text)
    assert caught.value.line == line
