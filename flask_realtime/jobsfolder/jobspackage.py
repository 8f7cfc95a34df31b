"""The package of a private name that a jobs folder becomes, in the server and in a child."""

from __future__ import annotations

import os
import sys
from types import ModuleType

_PREFIX = "_flask_realtime_jobs_"
# What a process that a job starts by multiprocessing makes the package from.
_VARIABLE = "FLASK_REALTIME_JOBS_PACKAGE"


def package_name(number: int) -> str:
    """A name of its own for each load of a folder."""
    return f"{_PREFIX}{number}"


def make_package(name: str, folder: str) -> None:
    """Let ``import name.x`` find the file x.py of `folder`; nothing is put on sys.path."""
    package = ModuleType(name)
    package.__path__ = [folder]
    sys.modules[name] = package


def folder_of(module: str) -> str:
    """The jobs folder that the module of that name came from; empty if it came from none."""
    top = module.partition(".")[0]
    if not top.startswith(_PREFIX) or top not in sys.modules:
        return ""
    return str(sys.modules[top].__path__[0])


def tell_children(module: str, folder: str) -> None:
    """Let the processes that this one starts know the package that `module` is in."""
    os.environ[_VARIABLE] = f"{module.partition('.')[0]}={folder}"


def make_told_package() -> None:
    """Make the package that the process which started this one has told of, if it has."""
    name, _, folder = os.environ.get(_VARIABLE, "").partition("=")
    if name:
        make_package(name, folder)
