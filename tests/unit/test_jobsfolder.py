"""The jobs folder: each file on its own, failures told, nothing half done."""

from __future__ import annotations

import errno
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_realtime.errors import ConfigurationError
from flask_realtime.jobs import JobRegistry
from flask_realtime.jobsfolder.jobsfolder import LoadFailure, load

GOOD = """
from flask_realtime import job

@job
def good(running, n: int = 1) -> None:
    "Good."
"""


@pytest.fixture(autouse=True)
def _keep_no_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("_flask_realtime_jobs_"):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def names(registry: JobRegistry) -> list[str]:
    return [each.name for each in registry]


def test_marked_functions_of_all_files_become_jobs_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, "b.py", GOOD)
    write(
        tmp_path,
        "a.py",
        """
        import functools
        from flask_realtime import job

        def plain(running, who: str) -> None: ...

        @job(title="Second", name="two")
        def second(running) -> None: ...

        @job
        async def first(running) -> None: ...

        greet = job(name="greet")(functools.partial(plain, who="me"))
        again = first
        """,
    )
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert names(registry) == ["two", "first", "greet", "good"]
    assert registry.get("two").title == "Second"
    assert registry.get("first").is_async
    assert registry.get("good").source == f"{tmp_path / 'b.py'}:4"


def test_files_that_are_not_meant_are_left_alone(tmp_path: Path) -> None:
    for name in ("_shared.py", ".hidden.py", "__init__.py", "notes.txt", "good.pyc"):
        write(tmp_path, name, "raise AssertionError('was run')")
    (tmp_path / "folder.py").mkdir()
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert names(registry) == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\ndef broken(:\n", 2, "SyntaxError: "),
        ("x = 1\nimport none_such_module\n", 2, "ModuleNotFoundError: .*none_such_module"),
        ("from . import none_such\n", 1, "ImportError: "),
        ("def f():\n    1 / 0\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", 2, r"sys\.exit\(3\)"),
        ("import os\n", None, "there is no job in it"),
        ("", None, "there is no job in it"),
        (GOOD.replace("n: int", "n"), None, "cannot be a job: parameter 'n' has no type hint"),
        (GOOD + "\n1 / 0\n", 8, "ZeroDivisionError"),
        (
            GOOD + GOOD.replace("@job\ndef good", "@job(name='good')\ndef g2"),
            None,
            "already registered",
        ),
        ("class E(BaseException): ...\nraise E()\n", 2, "^E$"),
    ],
)
def test_a_file_that_fails_is_told_with_its_line_and_harms_no_other(
    tmp_path: Path, text: str, line: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a.py", GOOD.replace("good", "before"))
    bad = write(tmp_path, "bad.py", text)
    write(tmp_path, "z.py", GOOD.replace("good", "after"))
    registry = JobRegistry()
    (failure,) = load(tmp_path, registry)
    assert (failure.file, failure.line) == (bad, line)
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(failure.message)
    assert names(registry) == ["before", "after"]
    assert str(failure) in caplog.text
    assert str(failure).startswith(f"{bad}:{line}: " if line else f"{bad}: ")


@pytest.mark.parametrize("data", [b"x = '\x00'\n", b"x = '\xff'\n", b"# coding: none-such\n"])
def test_a_file_that_is_no_python_text_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.py").write_bytes(data)
    (failure,) = load(tmp_path, JobRegistry())
    assert "Error: " in failure.message


def test_a_name_that_is_taken_is_refused_with_both_places(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a.py", GOOD), write(tmp_path, "b.py", GOOD)
    registry = JobRegistry()
    (failure,) = load(tmp_path, registry)
    assert failure.file == second
    assert f"{first}:4" in failure.message
    assert f"{second}:4" in failure.message
    assert names(registry) == ["good"]


def test_of_a_file_whose_second_job_fails_the_first_is_not_kept(tmp_path: Path) -> None:
    write(tmp_path, "a.py", GOOD + "\n@job\ndef bad(running, *rest): ...\n")
    registry = JobRegistry()
    assert len(load(tmp_path, registry)) == 1
    assert names(registry) == []


def test_siblings_are_imported_relatively_and_give_each_job_once(tmp_path: Path) -> None:
    write(tmp_path, "_shared.py", "from flask_realtime import job\nVALUE = 7\n" + GOOD)
    write(
        tmp_path,
        "a.py",
        GOOD.replace("good", "mine")
        .replace("n: int = 1", "n: int = _shared.VALUE")
        .replace("from flask", "from . import _shared\nfrom .b import late\nfrom flask"),
    )
    write(tmp_path, "b.py", GOOD.replace("good", "late"))
    write(tmp_path, "c.py", "from ._shared import good\nfrom .a import mine\n")
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert sorted(names(registry)) == ["good", "late", "mine"]
    assert registry.get("mine").bind({}) == {"n": 7}


def test_the_import_path_stays_as_it_was_and_names_of_libraries_are_free(tmp_path: Path) -> None:
    path, json_module = list(sys.path), sys.modules.get("json")
    write(tmp_path, "json.py", "import json\nLOADS = json.loads\n" + GOOD)
    write(tmp_path, "two-words.py", GOOD.replace("good", "other"))
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert names(registry) == ["good", "other"]
    assert sys.path == path
    assert sys.modules.get("json") is json_module or json_module is None


def test_two_loads_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    file = write(tmp_path, "a.py", GOOD)
    first, second = JobRegistry(), JobRegistry()
    assert load(tmp_path, first) == []
    file.write_text(GOOD.replace("n: int = 1", "n: int = 22"))
    assert load(tmp_path, second) == []
    assert first.get("good").bind({}) == {"n": 1}
    assert second.get("good").bind({}) == {"n": 22}


def test_a_name_with_a_dot_is_told(tmp_path: Path) -> None:
    bad = write(tmp_path, "a.b.py", GOOD)
    assert load(tmp_path, JobRegistry()) == [
        LoadFailure(bad, None, "a name with a dot cannot be imported: rename the file")
    ]


def test_proxies_that_a_file_imports_are_not_asked_anything(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "from flask import current_app, request, session\n" + GOOD)
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert names(registry) == ["good"]


def test_ctrl_c_while_a_file_loads_ends_the_program(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, JobRegistry())


@pytest.mark.parametrize("suffix", [".py", ".toml"])
def test_what_is_no_file_that_can_be_read_is_told_as_such_and_waited_for_by_nobody(
    tmp_path: Path, suffix: str
) -> None:
    os.symlink(f"absent{suffix}", tmp_path / f"a{suffix}")
    os.mkfifo(tmp_path / f"b{suffix}")
    os.symlink(f"c{suffix}", tmp_path / f"c{suffix}")
    os.symlink("/dev/zero", tmp_path / f"d{suffix}")
    registry = JobRegistry()
    write(tmp_path, "good.py", GOOD)
    assert load(tmp_path, registry) == [
        LoadFailure(tmp_path / f"{stem}{suffix}", None, f"cannot be read: {message}")
        for stem, message in (
            ("a", "No such file or directory"),
            ("b", "it is no regular file"),
            ("c", "Too many levels of symbolic links"),
            ("d", "it is no regular file"),
        )
    ]
    assert names(registry) == ["good"]


def test_the_mark_that_editors_of_windows_begin_files_with_is_read_away(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD, "utf-8-sig")
    (tmp_path / "b.toml").write_text('title = "Marked"\n', "utf-8-sig")
    write(tmp_path, "b.sh", "#!/bin/sh\n").chmod(0o755)
    registry = JobRegistry()
    assert load(tmp_path, registry) == []
    assert names(registry) == ["good", "b"]
    assert registry.get("b").title == "Marked"


@pytest.mark.parametrize("name", ["a.py", "a.toml"])
def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = write(tmp_path, name, GOOD)
    taken = os.open

    def refuse(path: object, *arguments: Any, **options: Any) -> int:
        if path == file:  # root, as which tests may run, reads everything
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return taken(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    assert load(tmp_path, JobRegistry()) == [
        LoadFailure(file, None, "cannot be read: Permission denied")
    ]


def test_a_folder_that_is_none_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "absent", JobRegistry())


def test_a_long_message_of_a_file_is_cut(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "raise ValueError('x\\n' * 100_000)\n")
    (failure,) = load(tmp_path, JobRegistry())
    assert len(failure.message) < 600
    assert "\n" not in failure.message
