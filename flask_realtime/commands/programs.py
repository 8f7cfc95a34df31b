"""Whether a program that a command names is there and can be run, before anybody starts it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_LOOKED_AT = 512  # bytes of a file, to see what runs it


def check_program(name: str, cwd: str, search: str) -> None:
    """Check argv[0] as execvp(3) takes it: with a slash relative to `cwd`, else in the folders of
    `search`, a value of PATH. Raises ValueError, which says what to do.
    """
    if "/" in name:
        _check_file(Path(cwd, name))
        return
    found = shutil.which(name, path=search)
    if found is not None:
        _check_interpreter(Path(found))
        return
    in_cwd = Path(cwd, name)
    if in_cwd.is_file():
        raise ValueError(f"{name!r} is not on PATH: write './{name}' for {in_cwd}")
    raise ValueError(f"{name!r} is in none of the folders of PATH: install it, or give its path")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ValueError(f"there is no {path}: correct its path, or the folder that it runs in")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a program")
    if not os.access(path, os.X_OK):
        raise ValueError(f"{path} is not executable: chmod +x {path}")
    _check_interpreter(path)


def _check_interpreter(path: Path) -> None:
    """A script says in its first line what runs it; a mistake there is hard to see at the start."""
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
    except OSError:
        return  # executable and not to be read is fine, for a program
    if not head.startswith(b"#!"):
        if b"\0" not in head:
            raise ValueError(
                f"{path} is a text whose first line does not say what runs it: "
                "write #!/bin/sh there, or #!/usr/bin/env python3"
            )
        return
    line = head[2:].partition(b"\n")[0]
    if line.endswith(b"\r"):
        raise ValueError(f"{path} has the line ends of Windows: no program is found by them")
    words = line.split(maxsplit=1)
    interpreter = os.fsdecode(words[0]) if words else ""
    if not os.access(interpreter, os.X_OK):
        raise ValueError(f"the first line of {path} names {interpreter!r}, which cannot be run")
