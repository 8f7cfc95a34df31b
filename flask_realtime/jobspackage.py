"""The package of a private name that a jobs folder becomes, in the server and in a child."""

from __future__ import annotations

import sys
from types import ModuleType

_PREFIX = "_flask_realtime_jobs_"


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
