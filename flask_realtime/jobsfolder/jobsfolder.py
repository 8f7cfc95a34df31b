"""Jobs from a folder of Python files and executables: one that fails takes no other with it."""

from __future__ import annotations

import importlib
import itertools
import logging
import os
import shlex
import stat
import traceback
from dataclasses import dataclass
from pathlib import Path

from flask_realtime.errors import ConfigurationError, RealtimeError
from flask_realtime.jobs import Job, JobRegistry, make_job, mark_of
from flask_realtime.jobsfolder.commandfile import FileFaults, read_command
from flask_realtime.jobsfolder.jobspackage import make_package, package_name

_log = logging.getLogger(__name__)

# Files that other tools look for where a folder of jobs is a project as well.
_OF_OTHERS = ("pyproject.toml",)
# A package name of its own for each load, so that nothing here meets a module of the same name.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """Why a file gave no jobs. `line` is None where no line of the file is to blame."""

    file: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.message}"


def load(folder: Path, registry: JobRegistry) -> list[LoadFailure]:
    """Import each .py file of `folder` and register what ``@job`` marked in it; register each
    executable with a TOML file of its name beside it.

    Files are taken by name; those that begin with "_" or "." are not. A file's jobs are registered
    all or, if the file fails, not at all. The folder is not put on sys.path: it becomes a package
    of a private name, so that a file reaches its siblings by ``from . import _shared``.

    Runs the Python files, so it blocks as long as they do. Raises ConfigurationError if the folder
    cannot be read. Each failure is logged as well, with its traceback at level debug.
    """
    try:
        present = [path for path in sorted(folder.absolute().iterdir()) if not path.is_dir()]
    except OSError as error:
        raise ConfigurationError(
            f"the folder of jobs {folder} cannot be read: {error.strerror}"
        ) from error
    package = package_name(next(_numbers))
    make_package(package, str(folder.absolute()))
    # A file that is younger than the last look at the folder would not be found.
    importlib.invalidate_caches()
    failures: list[LoadFailure] = []
    taken: set[int] = set()
    for file in _sources(present):
        try:
            _check_file(file)
            if file.suffix == ".toml":
                jobs = [read_command(file, _program_of(file, present))]
            else:
                jobs = _jobs_of(file, package, taken)
            registry.extend(jobs)
        except FileFaults as error:
            failures += [_told(LoadFailure(file, line, message)) for line, message in error.faults]
        except KeyboardInterrupt:
            raise
        # A file that somebody put into the folder may raise anything, sys.exit() included.
        except BaseException as error:  # noqa: BLE001
            failures.append(_told(failure_of(file, error)))
            _log.debug("the traceback of %s", file, exc_info=error)
        else:
            taken.update(id(each.function) for each in jobs)
    return failures


def failure_of(file: Path, error: BaseException) -> LoadFailure:
    """Why `file`, whose code raised `error`, gave no jobs."""
    return LoadFailure(file, _line(error, file), _message(error))


def _told(failure: LoadFailure) -> LoadFailure:
    _log.error("no jobs from %s", failure)
    return failure


def _sources(present: list[Path]) -> list[Path]:
    """The files that jobs come from: Python's, and the TOML files of executables."""
    wanted = [path for path in present if not path.name.startswith(("_", "."))]
    tables = [path for path in wanted if path.suffix == ".toml" and path.name not in _OF_OTHERS]
    stems = {path.stem for path in tables}
    for path in wanted:
        if path.suffix not in (".py", ".toml") and _is_program(path) and path.stem not in stems:
            _log.debug("%s is executable, but no job: there is no %s.toml", path, path.stem)
    # With a TOML file beside it, Python is a program like any other, and not imported.
    scripts = [path for path in wanted if path.suffix == ".py" and path.stem not in stems]
    return sorted([*scripts, *tables])


def _check_file(file: Path) -> None:
    """Raise RealtimeError unless `file` can be read; a FIFO or a device would have us wait."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise RealtimeError("cannot be read: it is no regular file")
        os.close(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise RealtimeError(f"cannot be read: {error.strerror}") from error


def _program_of(file: Path, present: list[Path]) -> Path:
    """The executable that has the stem of `file`. Raises RealtimeError."""
    named = [path for path in present if path != file and path.stem == file.stem]
    programs = [path for path in named if _is_program(path)]
    if len(programs) == 1:
        return programs[0]
    if programs:
        names = ", ".join(path.name for path in programs)
        raise RealtimeError(f"it could be for {names}: give one of them another name")
    if not named:
        raise RealtimeError(f"there is no executable {file.stem} beside it, or {file.stem}.sh, say")
    names = " ".join(shlex.quote(str(path)) for path in named)
    raise RealtimeError(f"what is beside it is not executable: chmod +x {names}")


def _is_program(path: Path) -> bool:
    return os.access(path, os.X_OK) and not path.name.endswith("~")  # an editor's copy


def _jobs_of(file: Path, package: str, taken: set[int]) -> list[Job]:
    if "." in file.stem:
        raise RealtimeError("a name with a dot cannot be imported: rename the file")
    module = importlib.import_module(f"{package}.{file.stem}")
    marked = {id(value): value for value in vars(module).values() if mark_of(value) is not None}
    if not marked:
        raise RealtimeError("there is no job in it: mark a function with @job")
    # What a sibling was imported from and has given already is no second job.
    return [make_job(function) for key, function in marked.items() if key not in taken]


def _line(error: BaseException, file: Path) -> int | None:
    """The last line of `file` that was being run, or the one that cannot be read."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.lineno for each in reversed(frames) if each.filename == str(file)), None)


def _message(error: BaseException) -> str:
    if isinstance(error, RealtimeError):
        return error.message
    if isinstance(error, SystemExit):
        return f"it ended by sys.exit({error.code!r}) while it was loaded"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())[:500]}".removesuffix(": ")
