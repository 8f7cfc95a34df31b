"""A job on real input: what a folder of Python source consists of, file by file."""

from __future__ import annotations

import ast
import os
import stat
import sys
import sysconfig
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta
from tqdm import tqdm

if TYPE_CHECKING:
    from typing import NoReturn

# A source file beyond this is data; parsing it would hold the interpreter for minutes.
MAX_BYTES = 16 << 20

# The name under which sources are compiled, so that their warnings, and no others, are silenced.
_COMPILED_AS = "<code census>"

# CPython 3.11 counts the depth of a tree for all threads together: when two parse at once it takes
# one for broken (SystemError).
_PARSING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in some source; `+` adds up."""

    functions: int = 0
    classes: int = 0
    lines: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.functions + other.functions,
            self.classes + other.classes,
            self.lines + other.lines,
        )


def code_census(
    running: Callable[[], bool], folder: str = "", limit: Annotated[int, Meta(ge=0)] = 0
) -> None:
    """Count functions, classes and lines of each Python file in a folder.

    Without a folder it takes the standard library of the running interpreter. Files that do not
    parse are reported and passed over. A limit ends it after so many files; 0 means all.
    """
    root, skipped = _root(folder)
    began = time.monotonic()
    files: list[Path] = []
    for path in python_files(root, skipped, print):
        if not running() or (limit and len(files) == limit):
            break
        files.append(path)
    print(f"{len(files):,} Python files in {shown(root)}")
    total, done, failed = Counts(), 0, 0
    with _bar(len(files)) as bar:
        for path in files:
            if not running():
                break
            try:
                found = count(read_source(path))
            except UNREADABLE as error:
                failed += 1
                line = f"does not parse  {shown(path.relative_to(root))}: {reason(error)}"
            else:
                total += found
                line = (
                    f"{found.functions:5} functions {found.classes:4} classes "
                    f"{found.lines:6} lines  {shown(path.relative_to(root))}"
                )
            done += 1
            bar.clear()
            print(line)
            bar.update()
    if done < len(files) or not running():
        print(f"Stopped after {done:,} of {len(files):,} files.")
    print(
        f"{done:,} files, {failed:,} of them do not parse: {total.functions:,} functions, "
        f"{total.classes:,} classes, {total.lines:,} lines in {time.monotonic() - began:.1f} s"
    )


# What reading and parsing other people's files may raise: no permission or no file, bad syntax,
# bad encoding, NUL bytes (ValueError), nesting that is too deep for parser or interpreter.
UNREADABLE = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


def count(source: bytes) -> Counts:
    """Parse `source`, in the encoding that it declares, and count. Raises one of UNREADABLE."""
    # Said each time, and each time the same: another job may have reset the filters.
    warnings.filterwarnings("ignore", module=_COMPILED_AS)
    functions = classes = 0
    with _PARSING:
        tree = ast.parse(source, _COMPILED_AS)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions += 1
        elif isinstance(node, ast.ClassDef):
            classes += 1
    lines = source.count(b"\n") + (not source.endswith(b"\n") and source != b"")
    return Counts(functions, classes, lines)


def read_source(path: Path) -> bytes:
    """Read a file that is one: a pipe of the name x.py would keep us waiting. Raises OSError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if status.st_size > MAX_BYTES:
        raise OSError(f"{status.st_size:,} bytes are too many to be source")
    return path.read_bytes()


def python_files(
    root: Path, skipped: frozenset[str], report: Callable[[str], object]
) -> Iterator[Path]:
    """The .py files under `root`, sorted within each folder; links to folders are not followed.

    Folders named in `skipped` are left out; one that cannot be read is told to `report`.
    """

    def tell(error: OSError) -> None:
        report(f"cannot be read  {shown(Path(error.filename))}: {reason(error)}")

    for folder, folders, names in os.walk(root, onerror=tell):
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(names):
            if name.endswith(".py"):
                yield Path(folder, name)


def reason(error: BaseException) -> str:
    """Why a file could not be counted, on one line."""
    if isinstance(error, SyntaxError):
        place = f" (line {error.lineno})" if error.lineno else ""
        return f"{type(error).__name__}: {error.msg}{place}"
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"{type(error).__name__}: {text}".replace("\n", " ").removesuffix(": ")


def shown(path: Path) -> str:
    """A path as text that can be printed, whatever bytes its name is made of."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def _root(folder: str) -> tuple[Path, frozenset[str]]:
    if not folder:
        # Installed packages live below the standard library, but are not part of it.
        return Path(sysconfig.get_path("stdlib")), frozenset({"site-packages", "dist-packages"})
    root = Path(folder).expanduser().absolute()
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "does not exist"
        raise ValueError(f"The folder {shown(root)} {state}.")
    return root, frozenset()


def _bar(total: int) -> tqdm[NoReturn]:
    """A progress bar on the run's own stderr.

    tqdm keeps the list of bars, the lock and a thread that redraws them by class. Runs must share
    none of them (a run that waits would hold the others' lock; the thread writes to the run that
    happened to start it), so each run has a class of its own.
    """

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0
        _instances: ClassVar[weakref.WeakSet[tqdm[NoReturn]]] = weakref.WeakSet()

    Bar.set_lock(threading.RLock())
    return Bar(
        total=total, file=sys.stderr, unit="file", ncols=80, ascii=False, mininterval=0, miniters=1
    )
