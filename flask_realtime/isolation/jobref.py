"""How a job's own process finds the job's function again: by its module and its name there.

Made and checked when the job is registered; used in the child. The child imports nothing else of
the server: not its application, unless the function is defined there.
"""

from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

from flask_realtime.errors import ConfigurationError
from flask_realtime.jobsfolder.jobspackage import folder_of, make_package

MAIN = "__main__"
# As which multiprocessing loads the main script into its children: what stands below
# `if __name__ == "__main__":` is not run there.
LOADED_MAIN = "__mp_main__"

REMEDY = "write it as a def at the top level of a module"


class JobGone(Exception):
    """The function is not where it was when the server started. `file`, and what is missing."""

    def __init__(self, file: str, message: str) -> None:
        super().__init__(f"{file}: {message}" if file else message)


@dataclass(frozen=True, slots=True)
class Reference:
    """`name`, with dots for what is inside of a class, in `module`, which came from `file`.

    The module of the main script is `__mp_main__`. `folder` is that of the jobs folder whose
    private package the module is in, else empty.
    """

    module: str
    name: str
    file: str
    folder: str = ""

    def public(self) -> dict[str, Any]:
        """It as JSON values, with what this process finds modules by."""
        return {
            "module": self.module,
            "name": self.name,
            "file": self.file,
            "folder": self.folder,
            "path": [each for each in sys.path if isinstance(each, str)],
            "cwd": os.getcwd(),
        }


def reference_to(function: Callable[..., object]) -> Reference:
    """How to find `function` again. Raises TypeError where nothing could, with the remedy.

    A function that is just being defined, by a decorator that registers it, does not stand in its
    module yet: `check` it when all modules are loaded.
    """
    name = _name_of(function)
    module = sys.modules.get(function.__module__)
    if module is None:
        raise TypeError(
            f"its module {function.__module__!r} is not in sys.modules, so a child process could "
            "not import it: import it by its name"
        )
    if _found(module, name) is not function:
        # Another name may stand for it there, when it was made by a decorator for example.
        for other, value in vars(module).items():
            if value is function:
                name = other
                break
    reference = _in(module, name)
    if reference.module != LOADED_MAIN:
        _check_importable(module, reference.module)
        if not getattr(module.__spec__, "_initializing", False):
            check(function, reference)
    return reference


def check(function: Callable[..., object], reference: Reference) -> None:
    """Raise TypeError unless `reference` leads to `function`, now that its module is loaded."""
    module = sys.modules.get(function.__module__)
    if module is None or _found(module, reference.name) is not function:
        raise TypeError(
            f"{reference.name!r} of its module stands for something else now, and a child process "
            "would run that: let no other decorator stand above the one that makes it a job, and "
            "do not use the name twice"
        )


def _name_of(function: Any) -> str:
    if isinstance(function, functools.partial):
        raise TypeError(
            "isolation='process' cannot take a partial, which a child process could not find "
            f"again: {REMEDY}, and what is bound now as defaults"
        )
    if isinstance(function, types.MethodType):
        raise TypeError(
            "isolation='process' cannot take a bound method, whose object a child process would "
            f"not have: {REMEDY} that makes the object and calls the method"
        )
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str) or not isinstance(getattr(function, "__module__", None), str):
        raise TypeError(
            f"isolation='process' cannot take an object with __call__, which a child process would "
            f"not have: {REMEDY} that makes the object and calls it"
        )
    if "<lambda>" in name:
        raise TypeError(
            f"isolation='process' cannot take a lambda, which a child process could not find "
            f"again: {REMEDY}"
        )
    if "<" in name:
        outer = name.split(".<")[0]
        raise TypeError(
            f"isolation='process' cannot take a function that is defined inside of {outer!r}, "
            f"which a child process could not find again: {REMEDY}"
        )
    return name


def _in(module: types.ModuleType, name: str) -> Reference:
    written = getattr(module, "__file__", None)
    file = os.path.abspath(written) if written else ""
    if module.__name__ not in (MAIN, LOADED_MAIN):
        return Reference(module.__name__, name, file, folder_of(module.__name__))
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    if spec is not None and spec.name != MAIN:  # it was started by python -m
        return Reference(spec.name, name, file)
    if not file:
        raise TypeError(
            "isolation='process' needs a file, and the main program is none (a console, python "
            f"-c): {REMEDY} that can be imported"
        )
    return Reference(LOADED_MAIN, name, file)


def _found(module: types.ModuleType, name: str) -> object:
    """What stands in `module` under `name`; None if nothing does."""
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _check_importable(module: types.ModuleType, name: str) -> None:
    """Raise TypeError unless another process with this one's sys.path would import `module`."""
    spec = getattr(module, "__spec__", None)
    parent = name.rpartition(".")[0]
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    found: ModuleSpec | None = None
    if not parent or path is not None:
        for finder in sys.meta_path:
            found = finder.find_spec(name, path) if hasattr(finder, "find_spec") else None
            if found is not None:
                break
    if found is None or spec is None or found.origin != spec.origin:
        other = f" (it would find {found.origin})" if found is not None else ""
        raise TypeError(
            f"a child process could not import its module by the name {name!r}{other}: put the "
            "file where Python finds it, on sys.path or into the jobs folder"
        )


# In the child


def find(reference: Mapping[str, Any]) -> Callable[..., object]:
    """Load the module of `Reference.public()` and return the function. Raises JobGone.

    Whatever the module raises while it is loaded is not caught. Changes the working directory,
    sys.path and sys.argv to what a program has that was started in the server's place.
    """
    module_name, name, file = reference["module"], reference["name"], reference["file"]
    _enter(reference)
    if file and not os.path.exists(file):
        raise JobGone(file, "it is not there any more")
    module = _load_main(file) if module_name == LOADED_MAIN else _import(module_name)
    found = _found(module, name)
    if not callable(found):
        raise JobGone(file, f"there is no {name!r} in it any more")
    return found


def _enter(reference: Mapping[str, Any]) -> None:
    os.chdir(reference["cwd"])
    sys.path[:] = reference["path"]
    sys.argv[:] = [reference["file"]]
    if reference["folder"]:
        make_package(reference["module"].partition(".")[0], reference["folder"])


def _import(name: str) -> types.ModuleType:
    __import__(name)
    return sys.modules[name]


def _load_main(file: str) -> types.ModuleType:
    """The main script as a module that processes which the job starts by multiprocessing find."""
    global _loading
    module = types.ModuleType(LOADED_MAIN)
    module.__file__ = file
    loader = SourceFileLoader(LOADED_MAIN, file)
    module.__loader__ = loader
    sys.modules[LOADED_MAIN] = sys.modules[MAIN] = module
    code = loader.source_to_code(loader.get_data(file), file)
    _loading = file
    try:
        exec(code, module.__dict__)
    finally:
        _loading = ""
    return module


_loading = ""  # the main script, while a job's process loads it


def refuse_to_serve() -> None:
    """Raise ConfigurationError in a job's process that loads the script which runs the server."""
    if _loading:
        raise ConfigurationError(
            f"{_loading} runs the server when it is loaded, and the process of a job loads it to "
            'find the job: put what runs the server below if __name__ == "__main__":'
        )
