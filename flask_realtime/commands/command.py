"""Commands as jobs: a program with arguments out of parameters, run without a shell."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_realtime.commands.argv import Argument, Manners, fill_argv, fill_text, parse_argument
from flask_realtime.commands.commandparameters import (
    CommandFault,
    check_places,
    manners_of,
    read_types,
    shapes_of,
)
from flask_realtime.commands.programs import check_program
from flask_realtime.errors import RealtimeError
from flask_realtime.jobrules import JobRules, RuleOptions, read_rules
from flask_realtime.jobs import Job, check_name, title_of
from flask_realtime.parameters import Parameters, to_json

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


OPTIONS = ("parameters", "defaults", "cwd", "environ")
_WORDS = ("title", "description")


class CommandOptions(RuleOptions, total=False):
    """The keywords of `Realtime.command`, beside those of ``@job``. For type checkers.

    `parameters` has the type of each placeholder that is no text, `defaults` the values of those
    that need not be given. `cwd` is the folder that it runs in, by default the server's. `environ`
    has variables for it, with placeholders as in its arguments.
    """

    title: str | None
    description: str
    parameters: Mapping[str, Any] | None
    defaults: Mapping[str, object] | None
    cwd: str | Path | None
    environ: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Command:
    """What a job of the kind ``command`` runs.

    `arguments` are the templates of argv, the program first; `cwd` is an absolute path; `environ`
    has templates of variables beside those that every child gets.
    """

    arguments: tuple[Argument, ...]
    cwd: str
    environ: Mapping[str, Argument] = field(default_factory=dict)
    manners: Manners = field(default_factory=Manners)

    def argv(self, bound: Mapping[str, object]) -> list[str]:
        """The arguments for parameters as `Job.bind` returned them, for execvp.

        Raises BadParameters for values that an argument must not have.
        """
        return fill_argv(self.arguments, to_json(bound), self.manners)

    def check(self, bound: Mapping[str, object]) -> None:
        """Raises BadParameters for values that `argv` or `variables` would refuse."""
        self.argv(bound)
        self.variables(bound)

    def variables(self, bound: Mapping[str, object]) -> dict[str, str]:
        """The variables to add to the environment. Raises BadParameters."""
        values = to_json(bound)
        filled = {
            name: fill_text(template, values, self.manners)
            for name, template in self.environ.items()
        }
        return {name: text for name, text in filled.items() if text is not None}


def make_command(
    argv: Sequence[str],
    *,
    parameters: Mapping[str, Any] | None = None,
    defaults: Mapping[str, object] | None = None,
    cwd: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Command, Parameters]:
    """Read and check what a command is; the keywords are those of CommandOptions.

    Raises CommandFault.
    """
    arguments = _arguments(argv)
    variables = _variables(environ or {})
    folder = _folder(cwd)
    for option, value in (("parameters", parameters), ("defaults", defaults)):
        if value is not None and not isinstance(value, Mapping):
            raise CommandFault(f"{option} is {value!r:.200}: write a table of names", option)
    model = read_types([*arguments, *variables.values()], parameters or {}, defaults or {})
    shapes = shapes_of(model)
    for argument in arguments:
        check_places(argument, shapes, "argv", many=True)
    for name, template in variables.items():
        check_places(template, shapes, "environ", name, many=False)
    _check_program(arguments[0], folder, variables)
    return Command(arguments, folder, variables, manners_of(shapes)), model


def command_job(name: str, argv: Sequence[str], options: Mapping[str, Any], *, source: str) -> Job:
    """Make a Job of a command; `options` are those of CommandOptions.

    Raises RealtimeError, which names the job, `source` ("file:line") and the remedy; TypeError for
    an option that is not there.
    """
    known = CommandOptions.__annotations__.keys() | RuleOptions.__annotations__.keys()
    if unknown := options.keys() - known:
        there = ", ".join(sorted(known))
        raise TypeError(f"a command has no option {min(unknown)!r}; there are: {there}")
    own = {key: options[key] for key in OPTIONS if key in options}
    rules = {key: value for key, value in options.items() if key not in (*OPTIONS, *_WORDS)}
    try:
        command, model = make_command(argv, **own)
        read = read_rules({"isolation": "process", **rules})
        if read.isolation != "process":
            raise CommandFault("it runs in a process: leave out isolation", "isolation")
    except (CommandFault, RealtimeError) as fault:
        raise RealtimeError(f"{name!r:.200} ({source}) cannot be a command: {fault}") from fault
    check_name(name, source)
    title, description = options.get("title"), options.get("description", "")
    return job_of(name, command, model, read, title=title, description=description, source=source)


def job_of(
    name: str,
    command: Command,
    model: Parameters,
    rules: JobRules,
    *,
    title: str | None,
    description: str,
    source: str,
) -> Job:
    """The Job of a command whose parts were checked."""
    return Job(
        name=name,
        title=title or title_of(name),
        description=inspect.cleandoc(description),
        function=_runs_in_a_process,
        parameters=model.schema,
        source=source,
        rules=rules,
        command=command,
        _model=model,
    )


def _runs_in_a_process(running: object, **params: object) -> None:
    raise RealtimeError("a command has no function: it runs in a process")


def caller() -> str:
    """ "file:line" of the first frame outside this library."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _arguments(argv: object) -> tuple[Argument, ...]:
    if isinstance(argv, str):
        raise CommandFault(
            f"the command is the text {argv[:80]!r}: write a list, each argument for itself; "
            "no shell reads it",
            "argv",
        )
    if not isinstance(argv, Sequence) or not all(isinstance(each, str) for each in argv):
        raise CommandFault(f"the command is {argv!r:.200}: write a list of texts", "argv")
    if not argv or not argv[0]:
        raise CommandFault("the command is empty: its first argument names the program", "argv")
    arguments = tuple(_template(each, "argv") for each in argv)
    if arguments[0].placeholders:
        raise CommandFault(
            f"the program {argv[0]!r} has a placeholder: a parameter cannot choose what is run; "
            "make a job of each program",
            "argv",
        )
    return arguments


def _variables(environ: object) -> dict[str, Argument]:
    if not isinstance(environ, Mapping):
        raise CommandFault(f"environ is {environ!r:.200}: write a table of texts", "environ")
    for name, text in environ.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise CommandFault(f"environ: {name!r:.80} is no name of a variable", "environ")
        if not isinstance(text, str):
            raise CommandFault(
                f"environ: {name} is {text!r:.80}, which is no text", "environ", name
            )
    return {name: _template(text, "environ", name) for name, text in environ.items()}


def _template(written: str, *at: str) -> Argument:
    try:
        return parse_argument(written)
    except ValueError as error:
        raise CommandFault(str(error), *at) from error


def _folder(cwd: object) -> str:
    if not isinstance(cwd, str | Path | None):
        raise CommandFault(f"cwd is {cwd!r:.80}: name a folder", "cwd")
    folder = os.path.abspath(Path(cwd or ".").expanduser())
    if not os.path.isdir(folder):
        raise CommandFault(f"there is no folder {folder}: make it, or correct cwd", "cwd")
    return folder


def _check_program(program: Argument, folder: str, variables: Mapping[str, Argument]) -> None:
    own_path = variables.get("PATH")
    search = own_path.literal if own_path is not None else None
    try:
        check_program(program.literal or "", folder, search or os.environ.get("PATH") or os.defpath)
    except ValueError as error:
        raise CommandFault(str(error), "argv") from error
