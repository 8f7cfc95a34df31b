"""How a job's own process finds the job's function again, and what it could not find."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_realtime import Realtime
from flask_realtime.errors import ConfigurationError, RealtimeError
from flask_realtime.isolation.jobref import Reference, reference_to
from flask_realtime.jobs import JobRegistry, make_job
from flask_realtime.jobsfolder.jobsfolder import load
from tests.support.child import Child

Running = Callable[[], bool]


class Group:
    def bound(self, running: Running) -> None: ...

    def __call__(self, running: Running) -> None: ...


short = lambda running: None  # noqa: E731


def make_local() -> Callable[[Running], None]:
    def local(running: Running) -> None: ...

    return local


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (short, "cannot take a lambda, which a child process could not find again"),
        (make_local(), "cannot take a function that is defined inside of 'make_local'"),
        (Group().bound, "cannot take a bound method"),
        (functools.partial(make_local), "cannot take a partial"),
        (Group(), "cannot take an object with __call__"),
    ],
)
def test_what_cannot_be_found_again_is_refused_with_its_place_and_a_remedy(
    function: Callable[..., object], said: str
) -> None:
    if isinstance(function, functools.partial):
        function = functools.partial(short)
    make_job(function, name="tidy")
    with pytest.raises(RealtimeError) as caught:
        make_job(function, name="tidy", isolation="process")
    assert said in caught.value.message
    assert f"'tidy' ({__file__}:" in caught.value.message
    assert "write it as a def at the top level of a module" in caught.value.message


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Import a module of the given text, as one that is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def load(text: str, name: str = "invented_jobs") -> types.ModuleType:
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        names.append(name)
        __import__(name)
        return sys.modules[name]

    yield load
    for name in names:
        sys.modules.pop(name, None)


DECORATED = """
import functools
from flask_realtime.jobs import JobRegistry

registry = JobRegistry()

def wrapped(function):
    @functools.wraps(function)
    def call(running):
        print("around")
        function(running)
    return call

def process(function):
    registry.add(function, isolation="process")
    return function
"""


def runs(reference: Reference) -> str:
    """What a child prints that is given the reference."""
    with Child(json.loads(json.dumps(reference.public()))) as child:
        assert child.end().state == "succeeded"
        return child.rest()


def test_a_function_of_a_module_is_found_by_its_names(
    importing: Callable[..., Any], tmp_path: Path
) -> None:
    module = importing("class Group:\n    def work(running):\n        print('found')\n")
    reference = reference_to(module.Group.work)
    assert reference == Reference(
        "invented_jobs", "Group.work", str(tmp_path / "invented_jobs.py"), ""
    )
    assert runs(reference) == "found\n"


def test_a_function_that_a_decorator_made_is_found_by_the_name_that_it_has(
    importing: Callable[..., Any],
) -> None:
    text = DECORATED + "def plain(running):\n    print('in')\ntidy = wrapped(plain)\n"
    reference = reference_to(importing(text).tidy)
    assert reference.name == "tidy"
    assert runs(reference) == "around\nin\n"


def test_a_decorator_registers_a_function_before_its_module_has_it(
    importing: Callable[..., Any],
) -> None:
    text = "@process\n@wrapped\ndef tidy(running):\n    print('in')\n"
    registry = importing(DECORATED + text).registry
    registry.check()
    assert runs(registry.get("tidy").reference) == "around\nin\n"


@pytest.mark.parametrize(
    "text",
    [
        "@wrapped\n@process\ndef tidy(running): pass\n",
        "@process\ndef tidy(running): pass\n\ndef tidy(running): pass\n",
        "@process\ndef tidy(running): pass\n\ndel tidy\n",
    ],
)
def test_a_name_that_stands_for_something_else_later_is_found_when_the_server_starts(
    importing: Callable[..., Any], text: str
) -> None:
    registry = importing(DECORATED + text).registry
    with pytest.raises(ConfigurationError, match=r"'tidy' \(.*:\d+\) cannot be a job: 'tidy' of"):
        registry.check()


def test_the_server_does_not_start_with_such_a_job(importing: Callable[..., Any]) -> None:
    realtime = Realtime()
    realtime.jobs = importing(DECORATED + "@wrapped\n@process\ndef tidy(running): pass\n").registry
    with pytest.raises(ConfigurationError, match="let no other decorator stand above"):
        realtime.start()


def test_a_function_whose_name_is_another_ones_is_refused_at_once(
    importing: Callable[..., Any],
) -> None:
    module = importing("def tidy(running): pass\n\nfirst = [tidy]\n\ndef tidy(running): pass\n")
    with pytest.raises(RealtimeError, match="stands for something else"):
        make_job(module.first[0], isolation="process")


def test_a_module_that_cannot_be_imported_by_its_name_is_refused(tmp_path: Path) -> None:
    module = types.ModuleType("invented_by_hand")
    exec("def tidy(running): pass\n", module.__dict__)
    with pytest.raises(RealtimeError, match=r"'invented_by_hand' is not in sys.modules"):
        make_job(module.tidy, isolation="process")
    sys.modules[module.__name__] = module
    try:
        with pytest.raises(RealtimeError, match="could not import its module by the name"):
            make_job(module.tidy, isolation="process")
    finally:
        del sys.modules[module.__name__]


def test_a_module_that_another_one_hides_is_refused(
    importing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importing("def tidy(running): pass\n")
    (tmp_path / "first").mkdir()
    other = tmp_path / "first" / "invented_jobs.py"
    other.write_text("")
    monkeypatch.syspath_prepend(str(other.parent))
    with pytest.raises(RealtimeError, match="it would find") as caught:
        make_job(module.tidy, isolation="process")
    assert str(other) in caught.value.message


def test_the_files_of_a_jobs_folder_are_found_in_it(tmp_path: Path) -> None:
    (tmp_path / "_shared.py").write_text("def text():\n    return 'shared'\n")
    (tmp_path / "tidy.py").write_text(
        "from flask_realtime import job\n"
        "from . import _shared\n\n"
        "@job(isolation='process', name='another')\n"
        "def tidy(running):\n    print(_shared.text(), __name__)\n"
    )
    registry = JobRegistry()
    assert not load(tmp_path, registry)
    registry.check()
    reference = registry.get("another").reference
    assert reference is not None
    assert (reference.folder, reference.name) == (str(tmp_path), "tidy")
    assert runs(reference) == f"shared {reference.module}\n"


def test_a_file_of_the_jobs_folder_that_marks_a_lambda_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tidy.py").write_text(
        "from flask_realtime import job\n\ntidy = job(isolation='process')(lambda running: None)\n"
    )
    (failure,) = load(tmp_path, JobRegistry())
    assert f"{tmp_path}/tidy.py:3" in failure.message
    assert "cannot take a lambda" in failure.message


SCRIPT = """
import sys
from flask_realtime.jobs import JobRegistry

registry = JobRegistry()

def tidy(running):
    print("found as", __name__)

registry.add(tidy, isolation="process")
if __name__ == "__main__":
    registry.check()
    import json
    print(json.dumps(registry.get("tidy").reference.public()))
"""


@pytest.mark.parametrize(
    ("started", "name"), [("script.py", "__mp_main__"), ("-m script", "script")]
)
def test_the_main_script_is_found_however_it_was_started(
    tmp_path: Path, started: str, name: str
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    result = subprocess.run(
        [sys.executable, *started.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 0, result.stderr
    with Child(json.loads(result.stdout)) as child:
        assert child.end().state == "succeeded"
        assert child.rest() == f"found as {name}\n"


def test_a_main_program_without_a_file_is_refused() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30
    )
    assert "isolation='process' needs a file, and the main program is none" in result.stderr
