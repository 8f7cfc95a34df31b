"""Why a program could not be started, in one line that names it. Reads files, starts nothing."""

from __future__ import annotations

import errno
import os

NOT_FOUND, NOT_RUNNABLE = 127, 126  # the exit codes that shells have for it


def explain(error: int, argv: list[str], folder: str | None, path: str) -> tuple[str, int]:
    """The reason and the exit code, for `error` (an errno) of execve of `argv`.

    `folder` is where it was to run, `path` the variable PATH that it was looked for in.
    """
    name = argv[0]
    file = _find(name, folder, path)
    if file is None:
        where = "" if "/" in name else f" in PATH ({path})"
        return f"the command {name} does not exist{where}", NOT_FOUND
    if os.path.isdir(file):
        return f"the command {name} is a folder", NOT_RUNNABLE
    interpreter = _interpreter(file)
    if error == errno.EACCES and not os.access(file, os.X_OK):
        return f"the command {name} is not executable: chmod +x {file}", NOT_RUNNABLE
    if error == errno.ENOENT and interpreter is not None:
        if interpreter.endswith("\r"):
            remedy = "the first line ends as on Windows: save it with line ends of Unix"
            return f"the command {name} cannot be run: {remedy}", NOT_RUNNABLE
        return (
            f"the command {name} cannot be run: its interpreter {interpreter}, named in its "
            "first line, does not exist",
            NOT_RUNNABLE,
        )
    if error == errno.EACCES and interpreter is not None:
        return f"the command {name} cannot be run: {interpreter} is not executable", NOT_RUNNABLE
    if error == errno.ENOEXEC:
        return (
            f"the command {name} cannot be run: it is no program, "
            "and its first line names no interpreter (#!/bin/sh)",
            NOT_RUNNABLE,
        )
    return f"the command {name} cannot be run: {os.strerror(error)}", NOT_RUNNABLE


def explain_folder(error: int, folder: str) -> tuple[str, int]:
    """The same for the folder that it was to run in."""
    if error == errno.ENOENT:
        return f"the folder {folder} to run in does not exist", NOT_RUNNABLE
    return f"the folder {folder} cannot be run in: {os.strerror(error)}", NOT_RUNNABLE


def _find(name: str, folder: str | None, path: str) -> str | None:
    """The file that a name means: by itself if it has a slash, else the first one in `path`."""
    places = [""] if "/" in name else [place or "." for place in path.split(":")]
    for place in places:
        file = os.path.join(folder or "", place, name)
        if os.path.exists(file):
            return file
    return None


def _interpreter(file: str) -> str | None:
    """What its first line names, if it begins with #!."""
    try:
        with open(file, "rb") as opened:
            first = opened.readline(1024)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    words = first[2:].rstrip(b"\n").strip(b" \t").split(b" ")
    return os.fsdecode(words[0])
