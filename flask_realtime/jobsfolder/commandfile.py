"""The TOML file beside an executable of the jobs folder, which makes a job of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flask_realtime.commands.command import job_of, make_command
from flask_realtime.commands.commandparameters import CommandFault
from flask_realtime.errors import RealtimeError
from flask_realtime.jobrules import RuleOptions, read_rules
from flask_realtime.jobs import Job, check_name
from flask_realtime.jobsfolder.parametertables import read_tables
from flask_realtime.tomltext import TomlFault, key_lines, parse, unknown_key

_TEXTS = ("name", "title", "description", "cwd")
_RULES = tuple(RuleOptions.__annotations__)
_KEYS = (*_TEXTS, "args", "environ", "parameters", *_RULES)


class FileFaults(Exception):
    """All that is wrong with a file, each with its line, or None where no line is to blame."""

    def __init__(self, faults: Iterable[tuple[int | None, str]]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault[0] or 0)
        super().__init__("; ".join(message for _, message in self.faults))


def read_command(file: Path, program: Path) -> Job:
    """Make a job of `program` as `file` says. Raises FileFaults.

    Its arguments are one for each parameter, in order, unless ``args`` says otherwise; it runs in
    the folder of `file` unless ``cwd`` does, relative to that.
    """
    try:
        text = file.read_text("utf-8-sig")  # editors of Windows begin with a mark
        tables = parse(text)
    except TomlFault as fault:
        raise FileFaults([(fault.line, str(fault))]) from fault
    except (OSError, ValueError) as error:
        raise FileFaults([(None, f"cannot be read: {error}")]) from error
    lines = key_lines(text)

    def line(*at: str) -> int | None:
        """Of the innermost key of a path that is written there."""
        return next((lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in lines), None)

    def placed(faults: Iterable[CommandFault]) -> Iterator[tuple[int | None, str]]:
        for fault in faults:
            yield line(*fault.at), str(fault)

    faults = [*_faults_of_keys(tables), *_faults_of_rules(tables)]
    types, defaults, wrong = read_tables(tables.get("parameters", {}))
    if faults or wrong:
        raise FileFaults(placed([*faults, *wrong]))
    args = tables.get("args", [f"{{{name}}}" for name in types])
    name = tables.get("name", file.stem)
    try:
        command, model = make_command(
            [str(program).replace("{", "{{").replace("}", "}}"), *args],
            parameters=types,
            defaults=defaults,
            cwd=file.parent / Path(tables.get("cwd", ".")).expanduser(),
            environ=tables.get("environ"),
        )
        check_name(name, str(file))
        rules = read_rules({"isolation": "process", **_rules(tables)})
    except CommandFault as fault:
        at = ("args", *fault.at[1:]) if fault.at[:1] == ("argv",) else fault.at
        raise FileFaults([(line(*at), str(fault))]) from fault
    except RealtimeError as error:
        raise FileFaults([(line("name"), error.message)]) from error
    return job_of(
        name,
        command,
        model,
        rules,
        title=tables.get("title"),
        description=tables.get("description", ""),
        source=f"{file}:{line('name') or 1}",
    )


def _rules(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tables[key] for key in _RULES if key in tables}


def _faults_of_keys(tables: Mapping[str, Any]) -> Iterator[CommandFault]:
    for key, value in tables.items():
        if key not in _KEYS:
            yield CommandFault(unknown_key(key, _KEYS), key)
        elif key in _TEXTS and not isinstance(value, str):
            yield CommandFault(f"{key} is {value!r:.80}, which is no text", key)
    args = tables.get("args", [])
    if not isinstance(args, list) or not all(isinstance(each, str) for each in args):
        yield CommandFault(f"args is {args!r:.200}: write a list of texts", "args")


def _faults_of_rules(tables: Mapping[str, Any]) -> Iterator[CommandFault]:
    for key, value in _rules(tables).items():
        try:
            if read_rules({"isolation": "process", key: value}).isolation != "process":
                yield CommandFault("a command runs in a process: leave out isolation", key)
        except RealtimeError as error:
            yield CommandFault(error.message, key)
