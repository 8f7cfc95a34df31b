"""Executables of the jobs folder: what their TOML files may say, and how faults are told."""

from __future__ import annotations

import datetime
import json
import logging
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.errors import BadParameters
from flask_realtime.jobrules import RuleOptions
from flask_realtime.jobs import Job, JobRegistry
from flask_realtime.jobsfolder.commandfile import FileFaults, read_command
from flask_realtime.jobsfolder.jobsfolder import load
from flask_realtime.jobsfolder.parametertables import KINDS
from flask_realtime.keep import Keep


def program(folder: Path, name: str = "tool.sh", mode: int = 0o755) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def table(folder: Path, text: str, name: str = "tool.toml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def the_job(folder: Path, text: str) -> Job:
    program(folder)
    table(folder, text)
    registry = JobRegistry()
    assert load(folder, registry) == []
    return registry.get("tool")


def argv(job: Job, **params: object) -> list[str]:
    assert job.command is not None
    return job.command.argv(job.bind(params))


def properties(job: Job) -> dict[str, Any]:
    found: Any = job.parameters["properties"]
    return dict(found)


def test_an_empty_file_is_all_that_an_executable_needs(tmp_path: Path) -> None:
    job = the_job(tmp_path, "")
    assert (job.title, job.description, job.kind) == ("Tool", "", "command")
    assert job.source == f"{tmp_path}/tool.toml:1"
    assert argv(job) == [f"{tmp_path}/tool.sh"]
    assert job.command is not None
    assert job.command.cwd == str(tmp_path)


def test_a_file_says_all_that_a_call_says(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    job = the_job(
        tmp_path,
        """
        title = "A tool"
        description = "What it does.\\n\\nMore of it."
        args = ["--verbose={level}", "{dry?--dry-run}", "{{}}", "--", "{target}"]
        cwd = "data"
        environ = { TOOL_MODE = "{mode}", PLAIN = "x" }
        inherit = ["TOOL_*"]
        timeout = 60
        max_cpu_seconds = 5
        max_memory_mib = 100
        max_output_mib = 0.5
        max_runs = 2
        max_runs_per_user = 1
        stop_grace = 3
        stop_signal = "SIGINT"
        terminal = false
        keep_days = 7
        stop_when_unwatched = 60

        [parameters.level]
        type = "integer"
        default = 1

        [parameters.mode]
        choices = ["-fast", "safe"]
        default = "safe"
        """,
    )
    assert (job.title, job.description) == ("A tool", "What it does.\n\nMore of it.")
    assert argv(job, target="-x") == [f"{tmp_path}/tool.sh", "--verbose=1", "{}", "--", "-x"]
    assert argv(job, target="y", dry=True, level=2)[1:] == [
        *("--verbose=2", "--dry-run", "{}", "--", "y")
    ]
    assert job.command is not None
    assert job.command.cwd == f"{tmp_path}/data"
    assert job.command.variables(job.bind({"target": "z", "mode": "-fast"})) == {
        **{"TOOL_MODE": "-fast", "PLAIN": "x"}
    }
    rules = job.rules
    assert rules.bounds.public() == {
        "timeout": 60,
        "cpu_seconds": 5,
        "memory_mib": 100,
        "output_mib": 0.5,
        "runs": 2,
        "runs_per_user": 1,
    }
    assert (rules.stop_grace, rules.stop_signal, rules.terminal) == (3, "SIGINT", False)
    assert (rules.inherit, rules.keep, rules.stop_when_unwatched) == (("TOOL_*",), Keep(days=7), 60)


def test_a_text_that_must_be_given_is_not_empty(tmp_path: Path) -> None:
    job = the_job(
        tmp_path,
        """
        args = ["{folder}", "{lines}", "{undeclared}", "{free}", "{left_out}"]
        [parameters.folder]
        [parameters.lines]
        type = "multi-line text"
        [parameters.free]
        default = ""
        [parameters.left_out]
        required = false
        """,
    )
    values = {"folder": "f", "lines": "l", "undeclared": "u"}
    assert argv(job, **values, free="")[1:] == ["f", "l", "u", ""]
    for name in values:
        with pytest.raises(BadParameters, match=f"^{name} must not be empty: give a value$"):
            job.bind(values | {name: ""})


def test_each_type_of_a_parameter_has_its_form_and_its_values(tmp_path: Path) -> None:
    job = the_job(
        tmp_path,
        """
        [parameters.a_text]
        title = "Some text"
        help = "Two to four letters"
        max_length = 4
        pattern = "^[a-z]{2,}$"
        default = "abcd"
        [parameters.lines]
        type = "multi-line text"
        [parameters.whole]
        type = "integer"
        minimum = 1
        maximum = 9
        [parameters.some]
        type = "number"
        minimum = 0.5
        default = 2
        [parameters.on]
        type = "boolean"
        [parameters.day]
        type = "date"
        default = 2026-01-31
        [parameters.other_day]
        type = "date"
        default = "2026-02-28"
        [parameters.colour]
        type = "choice"
        choices = ["red", "blue"]
        [parameters.names]
        type = "list of text"
        max_length = 3
        default = ["a", "b"]
        [parameters.colours]
        type = "list of text"
        choices = ["red", "blue"]
        default = []
        [parameters.password]
        type = "secret"
        [parameters.report]
        type = "file"
        max_mib = 2
        help = "A report"
        [parameters.maybe]
        type = "integer"
        required = false
        [parameters.maybe_file]
        type = "file"
        required = false
        """,
    )
    said = properties(job)
    assert said["a_text"] == {
        "type": "string",
        "title": "Some text",
        "description": "Two to four letters",
        "maxLength": 4,
        "pattern": "^[a-z]{2,}$",
        "default": "abcd",
    }
    assert said["lines"]["format"] == "multi-line"
    assert (said["whole"]["minimum"], said["whole"]["maximum"]) == (1, 9)
    assert (said["some"]["type"], said["some"]["default"]) == ("number", 2)
    assert said["day"]["default"] == "2026-01-31"
    assert said["colour"]["enum"] == ["red", "blue"]
    assert said["names"]["items"] == {"type": "string", "maxLength": 3}
    assert said["colours"]["items"] == {"enum": ["red", "blue"]}
    assert said["password"]["writeOnly"] is True
    assert (said["report"]["format"], said["report"]["maxBytes"]) == ("upload", 2 << 20)
    assert said["report"]["description"] == "A report"
    assert said["maybe"]["default"] is None
    required = ["lines", "whole", "on", "colour", "password", "report"]
    assert job.parameters["required"] == required
    given = {
        "lines": "a\nb",
        "whole": 9,
        "on": True,
        "colour": "red",
        "password": "hunter2",
        "report": "0" * 32,
    }
    assert job.bind(given)["other_day"] == datetime.date(2026, 2, 28)
    assert argv(job, **given, names=["x"])[1:] == [
        *("abcd", "a\nb", "9", "2.0", "true", "2026-01-31", "2026-02-28", "red", "x"),
        *("hunter2", "0" * 32),
    ]
    for name, value in {
        "a_text": "toolong",
        "whole": 10,
        "some": 0.1,
        "on": "yes",
        "day": "31.1.2026",
        "colour": "green",
        "names": ["long"],
        "colours": ["green"],
        "maybe": "x",
    }.items():
        with pytest.raises(BadParameters, match=f"^{name} must be"):
            job.bind({**given, name: value})


def test_the_names_of_the_types_are_those_that_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text("utf-8")
    for name in KINDS:
        assert f"`{name}`" in text


GOOD = "[parameters.x]\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("title = 'x'\ntitel = 'y'\n", 2, "there is no key 'titel': did you mean 'title'?"),
        ("\ncommand = 'rm'\n", 2, "there is no key 'command': there are name, title, description"),
        ("title = 3\n", 1, "title is 3, which is no text"),
        ("args = 'a b'\n", 1, "args is 'a b': write a list of texts"),
        ("args = ['a', 1]\n", 1, "write a list of texts"),
        ("\nargs = [\n'{',\n]\n", 2, "'{' has a brace of no placeholder"),
        ("args = ['{a}']\n[parameters.b]\n", 2, "the parameter 'b' is used by no argument"),
        ("cwd = 'absent'\n", 1, "there is no folder /"),
        ("environ = 'A=1'\n", 1, "environ is 'A=1': write a table of texts"),
        ("[environ]\nA = 1\n", 2, "environ: A is 1, which is no text"),
        ("\ntimeout = -1\n", 2, "timeout=-1 is wrong: expected a number"),
        ("max_runs = 1.5\n", 1, "max_runs=1.5 is wrong: expected a whole number"),
        ("stop_signal = 'SIGKILL'\n", 1, "stop_signal='SIGKILL' is wrong: expected one of"),
        ("isolation = 'thread'\n", 1, "a command runs in a process: leave out isolation"),
        ("isolation = 'box'\n", 1, "isolation='box' is wrong"),
        ("inherit = 'A'\n", 1, "inherit='A' is wrong"),
        ("\nname = 'two words'\n", 2, "'two words' .* cannot be the name of a job"),
        ("title = \n", 1, "no TOML: Invalid value"),
        ("[parameters\n", 1, "no TOML: "),
        ("title = '", None, "no TOML: "),
        ("parameters = 3\n", 1, r"parameters must be tables: \[parameters.name\]"),
        ("[parameters]\nx = 'text'\n", 2, r"write it as a table: \[parameters.x\]"),
        ("\n[parameters.'a b']\n", 2, "'a b' cannot be a parameter: take letters, digits and _"),
        ("\n[parameters.class]\n", 2, "{class} cannot be a parameter"),
        (GOOD + "type = 'str'\n", 2, "there is no type 'str': there are text, multi-line text"),
        (GOOD + "type = 3\n", 2, "there is no type '3'"),
        (GOOD + "typ = 'text'\n", 2, "there is no key 'typ': did you mean 'type'?"),
        (GOOD + "label = 'text'\n", 2, "there is no key 'label': there are type, title, help"),
        (GOOD + "help = 3\n", 2, "help is 3, which is no text"),
        (GOOD + "required = 'no'\n", 2, "required is 'no': write true or false"),
        (GOOD + "type = 'integer'\npattern = 'x'\n", 3, "pattern does not fit the type 'integer'"),
        (GOOD + "maximum = 3\n", 2, "does not fit the type 'text': it is for integer, number"),
        (GOOD + "pattern = '('\n", 2, "pattern is no regular expression: "),
        (GOOD + "pattern = 3\n", 2, "pattern is no regular expression: "),
        (
            GOOD + "max_length = 0\n",
            2,
            "max_length is 0: write a whole number between 1 and 65,536",
        ),
        (
            GOOD + "type = 'number'\nminimum = 'a'\n",
            3,
            "minimum is 'a': write a number between -9,0",
        ),
        (GOOD + "type = 'number'\nminimum = 2\nmaximum = 1\n", 4, "maximum is 1, less than"),
        (GOOD + "type = 'integer'\nminimum = 1.5\n", 3, "minimum is 1.5: write a whole number"),
        (GOOD + "type = 'choice'\n", 2, r"a choice needs choices = \[...\]"),
        (GOOD + "choices = []\n", 2, "choices is .*: write a list of different texts"),
        (GOOD + "choices = ['a', 'a']\n", 2, "choices is .*: write a list of different texts"),
        (GOOD + "choices = [1]\n", 2, "choices is .*: write a list of different texts"),
        (GOOD + "type = 'integer'\ndefault = 'a'\n", 3, "default must be int, not 'a'"),
        (GOOD + "default = 3\n", 2, "default must be str, not 3"),
        (GOOD + "choices = ['a']\ndefault = 'b'\n", 3, "default must be one of 'a', not 'b'"),
        (GOOD + "type = 'date'\ndefault = 'today'\n", 3, "default must be date, not 'today'"),
        (GOOD + "type = 'secret'\ndefault = 'a'\n", 3, "a secret has no default"),
        (GOOD + "type = 'file'\ndefault = 'a'\n", 3, "a file has no default"),
        (
            GOOD + "type = 'file'\nmax_mib = 0\n",
            3,
            "max_mib is 0: write a number between 0.001 and 1,000,000",
        ),
        (GOOD + "required = false\ndefault = 'a'\n", 2, "what has a default need not be given"),
        (GOOD + 'default = "a\\u0000"\n', 2, "NUL"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_harms_no_other(
    tmp_path: Path, text: str, line: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    program(tmp_path)
    bad = table(tmp_path, text)
    program(tmp_path, "a")
    table(tmp_path, "", "a.toml")
    program(tmp_path, "z.bin")
    table(tmp_path, "", "z.toml")
    registry = JobRegistry()
    (failure,) = load(tmp_path, registry)
    assert (failure.file, failure.line) == (bad, line)
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(failure.message)
    assert [job.name for job in registry] == ["a", "z"]
    assert str(failure) in caplog.text


def test_all_that_is_wrong_with_a_file_is_told_in_the_order_of_its_lines(tmp_path: Path) -> None:
    program(tmp_path)
    text = "timeout = 'a'\ntitel = 'x'\nmax_runs = 0\n" + GOOD + "tipe = 'x'\n[parameters.y]\n"
    table(tmp_path, text + "type = 'x'\n[parameters.z]\nhelp = 1\npattern = '('\n")
    registry = JobRegistry()
    failures = load(tmp_path, registry)
    assert [failure.line for failure in failures] == [1, 2, 3, 5, 7, 9, 10]
    assert len(registry) == 0


def test_an_executable_without_a_file_is_no_job(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program(tmp_path)
    program(tmp_path, "README.md", 0o644)
    caplog.set_level(logging.DEBUG)
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert len(registry) == 0
    (record,) = [record for record in caplog.records if "tool.sh" in record.message]
    assert record.levelno == logging.DEBUG
    assert "there is no tool.toml" in record.message
    assert "README" not in caplog.text


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({}, "there is no executable tool beside it, or tool.sh, say"),
        ({"tool.sh": 0o644}, r"is not executable: chmod \+x .*/tool\.sh$"),
        ({"tool.py": 0o644}, r"is not executable: chmod \+x .*/tool\.py$"),
        ({"tool.sh": 0o755, "tool.pl": 0o755}, r"it could be for tool\.pl, tool\.sh: give one"),
        ({"tool.sh~": 0o755}, r"is not executable: chmod \+x '.*/tool\.sh~'$"),
    ],
)
def test_a_file_needs_one_executable_of_its_name(
    tmp_path: Path, names: dict[str, int], said: str
) -> None:
    for name, mode in names.items():
        program(tmp_path, name, mode)
    file = table(tmp_path, "")
    (failure,) = load(tmp_path, JobRegistry())
    assert (failure.file, failure.line) == (file, None)
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(failure.message)


@pytest.mark.parametrize(
    "names", [{"tool": 0o755}, {"tool.sh": 0o755, "tool.log": 0o644, "tool.sh~": 0o755}]
)
def test_what_else_has_its_name_does_no_harm(tmp_path: Path, names: dict[str, int]) -> None:
    for name, mode in names.items():
        program(tmp_path, name, mode)
    table(tmp_path, "")
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert argv(registry.get("tool")) == [str(tmp_path / next(iter(names)))]


def test_files_that_are_not_meant_are_left_alone(tmp_path: Path) -> None:
    for name in ("_tool.toml", ".tool.toml", "pyproject.toml", "tool.toml.bak"):
        table(tmp_path, "nonsense", name)
    (tmp_path / "folder.toml").mkdir()
    assert load(tmp_path, JobRegistry()) == []


def test_python_with_a_file_beside_it_is_a_program_and_not_imported(tmp_path: Path) -> None:
    script = program(tmp_path, "tool.py")
    script.write_text("#!/usr/bin/env python3\nraise AssertionError('was imported')\n")
    table(tmp_path, "")
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert registry.get("tool").kind == "command"
    script.chmod(0o644)
    (failure,) = load(tmp_path, JobRegistry())
    assert "chmod +x" in failure.message


def test_a_name_that_python_has_taken_is_refused_with_both_places(tmp_path: Path) -> None:
    python = tmp_path / "a.py"
    python.write_text("from flask_realtime import job\n@job\ndef tool(running): ...\n")
    program(tmp_path)
    file = table(tmp_path, "title = 'x'\n")
    registry = JobRegistry()
    (failure,) = load(tmp_path, registry)
    assert failure.file == file
    assert f"{python}:2" in failure.message
    assert f"{file}:1" in failure.message
    assert [job.kind for job in registry] == ["function"]
    table(tmp_path, "title = 'x'\nname = 'tool-2'\n")
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert registry.get("tool-2").source == f"{file}:2"


def test_a_program_that_nothing_would_run_is_told(tmp_path: Path) -> None:
    program(tmp_path).write_text("echo hello\n")
    table(tmp_path, "title = 'x'\n")
    (failure,) = load(tmp_path, JobRegistry())
    assert "is a text whose first line does not say what runs it" in failure.message


@pytest.mark.parametrize("data", [b"title = '\xff'\n", b"\xff\xfe"])
def test_a_file_that_is_no_text_is_told(tmp_path: Path, data: bytes) -> None:
    program(tmp_path)
    table(tmp_path, "").write_bytes(data)
    (failure,) = load(tmp_path, JobRegistry())
    assert "cannot be read: 'utf-8' codec" in failure.message


def test_a_folder_whose_name_has_braces_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "a{b} c"
    folder.mkdir()
    job = the_job(folder, GOOD)
    assert argv(job, x="y") == [f"{folder}/tool.sh", "y"]


simple = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.just(2**70),
    st.floats(),
    st.sampled_from(["", "text", "integer", "date", "file", "choice", "a{b}", "(", "SIGINT", "\0"]),
    st.dates(),
)
anything = st.one_of(
    simple, st.lists(simple, max_size=2), st.dictionaries(st.sampled_from("ab"), simple, max_size=2)
)
keys = (*RuleOptions.__annotations__, "name", "title", "description", "args", "cwd", "environ", "x")
bounds = ("type", "title", "help", "default", "required", "choices", "minimum", "maximum")
of_parameters = st.dictionaries(st.sampled_from((*bounds, "max_length", "pattern")), anything)


@given(
    st.dictionaries(st.sampled_from(keys), anything, max_size=3),
    st.one_of(anything, st.dictionaries(st.sampled_from(["a", "b c", "if"]), of_parameters)),
)
def test_whatever_a_file_says_its_faults_are_told_or_there_are_none(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, Any], parameters: object
) -> None:
    folder = tmp_path_factory.getbasetemp()
    file = table(folder, toml({**tables, "parameters": parameters}), "fuzzed.toml")
    faults: list[tuple[int | None, str]] = []
    try:
        read_command(file, program(folder, "fuzzed.sh"))
    except FileFaults as error:
        faults = error.faults
    assert all(message and line is not None for line, message in faults)


def toml(value: Any, *, within: bool = False) -> str:
    if isinstance(value, dict):
        pairs = [f"{json.dumps(name)} = {toml(each, within=True)}" for name, each in value.items()]
        return "{" + ", ".join(pairs) + "}" if within else "\n".join(pairs)
    if isinstance(value, list):
        return "[" + ", ".join(toml(each, within=True) for each in value) + "]"
    if isinstance(value, float):
        return repr(value) if "e" not in repr(value) else f"{value:.1f}"
    return str(value) if isinstance(value, datetime.date) else json.dumps(value)
