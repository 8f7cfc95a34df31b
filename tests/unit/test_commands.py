"""Commands as jobs: what may be one, what its parameters are, and what it is run with."""

from __future__ import annotations

import datetime
import enum
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from flask_realtime import Realtime
from flask_realtime.errors import BadParameters, RealtimeError
from flask_realtime.jobs import Job
from flask_realtime.parameters import MultiLine, Secret


class Level(enum.Enum):
    LOW = "low"
    HIGH = "-high"


def command(argv: Any = ("true",), name: str = "tool", **options: Any) -> Job:
    return Realtime().command(name, argv, **options)


def argv(job: Job, **params: object) -> list[str]:
    assert job.command is not None
    return job.command.argv(job.bind(params))


def line_of_this_call() -> int:
    import inspect

    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_a_command_is_a_job_that_says_so(tmp_path: Path) -> None:
    realtime = Realtime()
    made = realtime.command(
        "back-up",
        ["env", "{target}"],
        title="Back it up",
        description="""Back up.

            All of it.
        """,
        timeout=60,
        max_runs=1,
    )
    assert made.source == f"{__file__}:{line_of_this_call() - 11}"
    assert realtime.jobs.get("back-up") is made
    described = made.describe()
    assert described["kind"] == "command"
    assert described["isolation"] == "process"
    assert described["title"] == "Back it up"
    assert described["description"] == "Back up.\n\nAll of it."
    assert made.rules.bounds.timeout == 60
    assert made.rules.terminal
    assert command(name="back_up").title == "Back up"


def test_a_placeholder_without_a_type_is_a_text_that_must_be_given() -> None:
    made = command(["true", "{b}", "{a}{b}"])
    assert made.parameters == {
        "type": "object",
        "properties": {
            "b": {"type": "string", "minLength": 1},
            "a": {"type": "string", "minLength": 1},
        },
        "required": ["b", "a"],
    } | {key: made.parameters[key] for key in made.parameters.keys() - {"properties", "required"}}
    assert argv(made, a="1", b="2") == ["true", "2", "12"]
    with pytest.raises(BadParameters, match="a is missing"):
        made.bind({"b": "x"})
    with pytest.raises(BadParameters, match="there is no parameter 'c'"):
        made.bind({"a": "x", "b": "x", "c": "x"})


def test_a_text_that_must_be_given_is_not_empty_unless_it_says_that_it_may_be() -> None:
    types = {
        "declared": str,
        "lines": MultiLine,
        "secret": Secret,
        "short": Annotated[str, msgspec.Meta(max_length=3)],
        "long": Annotated[str, msgspec.Meta(min_length=2)],
        "free": Annotated[str, msgspec.Meta(min_length=0)],
        "none": str | None,
        "usual": str,
    }
    made = command(
        ["true", "{undeclared}", *(f"--{name}={{{name}}}" for name in types)],
        parameters=types,
        defaults={"usual": ""},
    )
    given: dict[str, object] = dict.fromkeys([*types, "undeclared"], "ab")
    assert made.bind(given | {"free": "", "none": "", "usual": ""})["free"] == ""
    for name in ("undeclared", "declared", "lines", "secret", "short"):
        with pytest.raises(BadParameters, match=f"^{name} must not be empty: give a value$"):
            made.bind(given | {name: ""})
        assert made.parameters["properties"][name]["minLength"] == 1
    with pytest.raises(BadParameters, match=r"^long must not be empty"):
        made.bind(given | {"long": ""})
    with pytest.raises(BadParameters, match=r"^long must be str, not 'a' \(.*length >= 2"):
        made.bind(given | {"long": "a"})


def test_parameters_have_the_types_and_defaults_that_functions_have() -> None:
    made = command(
        ["true", "--n={n}", "--on={on}", "--day={day}", "--level={level}", "--x={x}", "{files}"],
        parameters={
            "n": Annotated[int, msgspec.Meta(ge=1, le=9, description="How many")],
            "on": bool,
            "day": datetime.date,
            "level": Level,
            "x": float | None,
            "files": list[Path],
        },
        defaults={"n": 3, "x": None, "files": [Path("/a b")], "level": Level.HIGH},
    )
    bound = made.bind({"on": False, "day": "2026-02-03"})
    assert bound["day"] == datetime.date(2026, 2, 3)
    assert argv(made, on=False, day="2026-02-03") == [
        *("true", "--n=3", "--on=false", "--day=2026-02-03", "--level=-high", "/a b")
    ]
    assert argv(made, on=True, day="2026-02-03", x=0.5, files=[], level="low") == [
        *("true", "--n=3", "--on=true", "--day=2026-02-03", "--level=low", "--x=0.5")
    ]
    with pytest.raises(BadParameters, match="n must be int, not 10"):
        made.bind({"n": 10, "on": True, "day": "2026-02-03"})


def test_declared_parameters_come_first_in_their_order() -> None:
    made = command(["true", "{a}", "{b}", "{c}", "{d}"], parameters={"d": int, "b": int})
    assert made.parameters["required"] == ["d", "b", "a", "c"]


def test_a_flag_is_a_truth_value_that_is_false_by_default() -> None:
    made = command(["true", "{dry?--dry-run}", "{deep?-r}"], parameters={"deep": bool})
    assert made.parameters["required"] == ["deep"]
    assert argv(made, deep=True) == ["true", "-r"]
    assert argv(made, deep=False, dry=True) == ["true", "--dry-run"]
    with pytest.raises(BadParameters, match="dry must be bool"):
        made.bind({"deep": True, "dry": "yes"})


def test_choices_may_be_options_and_other_values_may_not() -> None:
    types = {"mode": Literal["-v", "-q"], "level": Level, "levels": list[Level], "free": str}
    made = command(
        ["true", "{mode}", "{level}", "{levels}", "{free}"],
        parameters=types,
        defaults={"mode": "-q", "level": Level.HIGH, "levels": [Level.HIGH], "free": "x"},
    )
    assert argv(made) == ["true", "-q", "-high", "-high", "x"]
    with pytest.raises(BadParameters, match="free begins with '-'"):
        made.bind({"free": "-x"})


def test_what_the_start_refuses_names_its_parameter() -> None:
    made = command(["true", "{target}"], environ={"NOTE": "{note}"}, defaults={"note": ""})
    with pytest.raises(BadParameters, match=r"^target begins with '-' .* --target=\{target\}$"):
        made.bind({"target": "-rf"})
    with pytest.raises(BadParameters, match=r"^target has a control character \('\\n'\)"):
        made.bind({"target": "a\nb"})
    with pytest.raises(BadParameters, match=r"^note has a control character \('\\x1b'\)"):
        made.bind({"target": "a", "note": "\x1b"})
    with pytest.raises(BadParameters, match=r"^note .*NUL"):
        made.bind({"target": "a", "note": "\0"})


def test_what_nobody_is_to_see_is_in_no_message() -> None:
    types = {"a": Secret, "b": Secret | None, "notes": MultiLine}
    made = command(["true", "{a}", "x{b}", "{notes}"], parameters=types, defaults={"notes": ""})
    assert argv(made, a="s3cret", b="-x", notes="\n") == ["true", "s3cret", "x-x", "\n"]
    with pytest.raises(BadParameters, match=r"^a begins with '-' \(\*\*\*\)"):
        made.bind({"a": "-s3cret", "b": None})
    with pytest.raises(BadParameters, match=r"^b has a control character") as caught:
        made.bind({"a": "s3cret", "b": "s3\ncret"})
    assert "s3" not in caught.value.message


def test_variables_are_filled_like_arguments() -> None:
    made = command(
        ["true"],
        environ={"PLAIN": "{{a}}", "PASSWORD": "{password}", "DEBUG": "{debug?1}", "N": "n{n}"},
        parameters={"n": int | None, "password": Annotated[str, msgspec.Meta(min_length=0)]},
        defaults={"n": None},
    )
    assert made.command is not None

    def variables(**params: object) -> dict[str, str]:
        assert made.command is not None
        return made.command.variables(made.bind(params))

    assert variables(password="-x") == {"PLAIN": "{a}", "PASSWORD": "-x"}
    assert variables(password="", debug=True, n=-1) == {
        **{"PLAIN": "{a}", "PASSWORD": "", "DEBUG": "1", "N": "n-1"}
    }


def test_the_folder_is_the_servers_or_the_one_that_is_named(tmp_path: Path) -> None:
    made = command().command
    assert made is not None
    assert made.cwd == os.getcwd()
    made = command(cwd=tmp_path).command
    assert made is not None
    assert made.cwd == str(tmp_path)
    made = command(cwd="tests/unit").command
    assert made is not None
    assert made.cwd == os.path.abspath("tests/unit")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"argv": []}, "the command is empty"),
        ({"argv": [""]}, "the command is empty"),
        ({"argv": "rm -rf {x}"}, "is the text 'rm -rf {x}': write a list"),
        ({"argv": ["true", 3]}, "write a list of texts"),
        ({"argv": None}, "write a list of texts"),
        ({"argv": ["{tool}"]}, "the program '{tool}' has a placeholder"),
        ({"argv": ["true", "{}"]}, "'{}' has a brace of no placeholder at character 1"),
        ({"argv": ["true", "{class}"]}, "{class} cannot be a parameter"),
        (
            {"argv": ["true", "{traget}"], "parameters": {"target": str}},
            "the parameter 'target' is used by no argument: write {target} where its value "
            "belongs; did you mean it by {traget}?",
        ),
        ({"parameters": {"target": str}}, "the parameter 'target' is used by no argument"),
        ({"defaults": {"target": "x"}}, "the default of 'target' is of no parameter"),
        ({"parameters": ["target"]}, "parameters is ['target']: write a table of names"),
        (
            {"argv": ["true", "{x}"], "parameters": {"x": int}, "defaults": {"x": "one"}},
            "parameter 'x' has the default 'one'",
        ),
        (
            {"argv": ["true", "{x}"], "parameters": {"x": dict[str, str]}},
            "'x' has a type that is no",
        ),
        ({"argv": ["true", "{x}"], "parameters": {"x": Any}}, "'x' has a type that is no text"),
        ({"argv": ["true", "{x}"], "parameters": {"x": list}}, "'x' has a type that is no text"),
        ({"argv": ["true", "{x}"], "parameters": {"x": list[list[str]]}}, "'x' is a list of lists"),
        ({"argv": ["true", "{x}"], "parameters": {"x": type(print)}}, "no form in JSON"),
        ({"argv": ["true", "x{x}"], "parameters": {"x": list[str]}}, "'x{x}' has a list, 'x'"),
        (
            {"environ": {"A": "{x}"}, "parameters": {"x": list[str]}},
            "'{x}' has a list, 'x'",
        ),
        ({"argv": ["true", "{x?-x}"], "parameters": {"x": str}}, "is a flag, and 'x' is no bool"),
        ({"environ": {"A B": "x"}}, "'A B' is no name of a variable"),
        ({"environ": {"A": 1}}, "environ: A is 1, which is no text"),
        ({"environ": {"A": "{"}}, "'{' has a brace of no placeholder"),
        ({"environ": ["A=1"]}, "environ is ['A=1']: write a table"),
        ({"cwd": "/none/such"}, "there is no folder /none/such: make it, or correct cwd"),
        ({"cwd": 3}, "cwd is 3: name a folder"),
        ({"argv": ["no-such-program-at-all"]}, "is in none of the folders of PATH: install it"),
        ({"argv": ["./none.sh"], "cwd": "/tmp"}, "there is no /tmp/none.sh: correct its path"),
        ({"argv": ["/tmp"]}, "/tmp is a folder: name a program"),
        ({"argv": ["pyproject.toml"]}, "'pyproject.toml' is not on PATH: write './pyproject.toml'"),
        ({"argv": ["./pyproject.toml"]}, "/pyproject.toml is not executable: chmod +x"),
        ({"isolation": "thread"}, "cannot be a command: it runs in a process: leave out isolation"),
        ({"name": "two words"}, "cannot be the name of a job"),
    ],
)
def test_what_cannot_be_a_command_is_refused_with_place_and_remedy(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(RealtimeError) as caught:
        Realtime().command(options.pop("name", "tool"), options.pop("argv", ["true"]), **options)
    assert said in caught.value.message
    assert f"({__file__}:{line_of_this_call() - 2})" in caught.value.message


def test_rules_are_checked_and_options_known() -> None:
    with pytest.raises(
        RealtimeError, match=r"^'tool' \(.*\) cannot be a command: timeout=-1 is wro"
    ):
        command(timeout=-1)
    with pytest.raises(TypeError, match=r"a command has no option 'argument'; .* cwd, defaults, "):
        command(argument=1)
    assert command(stop_signal="SIGINT", terminal=False).rules.stop_signal == "SIGINT"


def test_a_second_job_of_a_name_is_refused_with_both_places() -> None:
    realtime = Realtime()
    first = realtime.command("tool", ["true"])
    with pytest.raises(RealtimeError, match="already registered") as caught:
        realtime.command("tool", ["false"])
    assert first.source in caught.value.message
    assert [job.name for job in realtime.jobs] == ["tool"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"echo hello\n", "is a text whose first line does not say what runs it"),
        (b"", "is a text whose first line does not say"),
        (b"#!/none/such\n", "names '/none/such', which cannot be run"),
        (b"#!\n", "names '', which cannot be run"),
        (b"#!/bin/sh\r\necho\r\n", "has the line ends of Windows"),
    ],
)
def test_a_script_that_nothing_would_run_is_refused(tmp_path: Path, head: bytes, said: str) -> None:
    script = tmp_path / "script"
    script.write_bytes(head)
    script.chmod(0o755)
    for name in ("./script", str(script)):
        with pytest.raises(RealtimeError, match="cannot be a command") as caught:
            command([name], cwd=tmp_path)
        assert said in caught.value.message
    with pytest.raises(RealtimeError, match="cannot be a command"):
        command(["script"], environ={"PATH": str(tmp_path)})


@pytest.mark.parametrize("head", [b"#! /bin/sh -e\n", b"#!/usr/bin/env sh\n", b"\x7fELF\2\1\1\0"])
def test_a_program_is_looked_for_as_it_will_be(tmp_path: Path, head: bytes) -> None:
    script = tmp_path / "my-script"
    script.write_bytes(head)
    script.chmod(0o755)
    assert argv(command(["./my-script"], cwd=tmp_path)) == ["./my-script"]
    assert argv(command(["my-script"], environ={"PATH": str(tmp_path)})) == ["my-script"]
    with pytest.raises(RealtimeError, match=r"is not on PATH: write './my-script'"):
        command(["my-script"], cwd=tmp_path)


def test_the_function_of_a_command_is_none_to_call() -> None:
    with pytest.raises(RealtimeError, match="runs in a process"):
        command().function(lambda: True)
