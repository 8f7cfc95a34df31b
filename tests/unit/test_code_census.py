"""The code census: what it counts, what it reports, when it stops."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app import code_census as module
from app.code_census import Counts, code_census, count, python_files, read_source, reason, shown
from flask_realtime.jobs import make_job

TOTALS = re.compile(
    r"([\d,]+) files, ([\d,]+) of them do not parse: "
    r"([\d,]+) functions, ([\d,]+) classes, ([\d,]+) lines in [\d.]+ s"
)


def always() -> bool:
    return True


def totals(output: str) -> list[int]:
    found = TOTALS.fullmatch(output.splitlines()[-1])
    assert found is not None, output[-500:]
    return [int(number.replace(",", "")) for number in found.groups()]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"", Counts(0, 0, 0)),
        (b"x = 1", Counts(0, 0, 1)),
        (b"x = 1\n", Counts(0, 0, 1)),
        (b"x = 1\n\n", Counts(0, 0, 2)),
        (b"def f():\n  def g(): pass\nasync def h(): pass\n", Counts(3, 0, 3)),
        (b"class A:\n  class B:\n    def m(self): pass\nlambda: 0\n", Counts(1, 2, 4)),
        (b"# coding: latin-1\ns = '\xe4'\n", Counts(0, 0, 2)),
        (b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", Counts(0, 0, 2)),
    ],
)
def test_functions_classes_and_lines_are_counted(source: bytes, expected: Counts) -> None:
    assert count(source) == expected


def test_counts_add_up() -> None:
    assert Counts(1, 2, 3) + Counts(10, 20, 30) == Counts(11, 22, 33)


BROKEN = {
    "syntax.py": (b"def f(:\n", "SyntaxError"),
    "indent.py": (b"if x:\ny\n", "IndentationError"),
    "latin.py": (b"s = '\xe4'\n", "(SyntaxError|UnicodeDecodeError)"),
    "coding.py": (b"# coding: none-such\n", "SyntaxError: unknown encoding"),
    "nul.py": (b"x = '\0'\n", "(ValueError|SyntaxError): source code .*null bytes"),
    "deep.py": (b"x = " + b"-" * 100_000 + b"1\n", "(RecursionError|MemoryError)"),
    "nested.py": (b"(" * 1000 + b")" * 1000, "SyntaxError: too many nested parentheses"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_source_that_does_not_parse_raises_what_the_census_expects(name: str) -> None:
    source, said = BROKEN[name]
    with pytest.raises(module.UNREADABLE) as caught:
        count(source)
    text = reason(caught.value)
    assert re.match(said, text), text
    assert "\n" not in text


def test_warnings_of_the_source_are_not_the_jobs_and_others_are_still_heard() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert count(b"x = '\\d' is 1\nassert (1, 'x')\n").lines == 2
        assert [str(each.message) for each in heard] == []
        warnings.warn("ours", SyntaxWarning, stacklevel=1)
    assert [str(each.message) for each in heard] == ["ours"]


def test_a_tree_is_counted_with_all_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b" / "site-packages").mkdir(parents=True)
    (tmp_path / "a.py").write_bytes(b"def f(): pass\n")
    (tmp_path / "b" / "c.py").write_bytes(b"class C:\n  def m(self): pass\n")
    (tmp_path / "b" / "site-packages" / "d.py").write_bytes(b"x = 1\n")
    (tmp_path / "b" / "notes.txt").write_bytes(b"no Python\n")
    for name, (source, _) in BROKEN.items():
        (tmp_path / name).write_bytes(source)
    (tmp_path / "gone.py").symlink_to("absent")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "circle.py").symlink_to("circle.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "tab\t\x1b[2J.py").write_bytes(b"\n")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.py", os.O_CREAT))

    code_census(always, str(tmp_path))
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    failed = [line for line in lines if line.startswith("does not parse  ")]
    assert len(failed) == len(BROKEN) + 3
    for name, (_, said) in BROKEN.items():
        assert any(re.match(rf"does not parse  {name}: {said}", line) for line in failed)
    assert any("gone.py: FileNotFoundError: No such file or directory" in line for line in failed)
    assert any("pipe.py: OSError: not a regular file" in line for line in failed)
    assert "    1 functions    0 classes      1 lines  a.py" in lines
    assert "    1 functions    1 classes      2 lines  b/c.py" in lines
    assert r"'tab\t\x1b[2J.py'" in printed.out
    assert r"'\udcff.py'" in printed.out
    assert lines[0] == f"15 Python files in {tmp_path}"
    assert totals(printed.out) == [15, 10, 2, 1, 5]


def test_the_bar_on_stderr_is_away_while_a_line_is_printed(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.py").write_text("x = 1\n")
    result = subprocess.run(
        [
            *(sys.executable, "-u", "-c"),
            "from app.code_census import code_census; import sys; "
            "code_census(lambda: True, sys.argv[1])",
            str(tmp_path),
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    printed = result.stdout.decode()  # text mode would turn each return into a newline
    screen: list[str] = []
    for row in printed.split("\n"):  # a terminal shows what comes after the last return
        shown_text = ""
        for part in row.split("\r"):
            shown_text = part + shown_text[len(part) :]
        screen.append(shown_text.rstrip())
    assert screen[1:6] == [f"    0 functions    0 classes      1 lines  {n}.py" for n in range(5)]
    assert screen[6].startswith("100%|")
    assert "5/5" in screen[6]
    assert screen[7].startswith("5 files, 0 of them do not parse")
    assert "20%|" in printed


def test_it_stops_between_files_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(10):
        (tmp_path / f"{number}.py").write_text("x = 1\n")
    asked = 0

    def running() -> bool:
        nonlocal asked
        asked += 1
        return asked <= 10 + 3

    code_census(running, str(tmp_path))
    printed = capsys.readouterr().out
    assert "Stopped after 3 of 10 files." in printed
    assert totals(printed) == [3, 0, 0, 0, 3]


def test_it_stops_while_it_looks_for_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    code_census(lambda: False, str(tmp_path))
    printed = capsys.readouterr().out
    assert "Stopped after 0 of 0 files." in printed


def test_a_limit_ends_it_early(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(10):
        (tmp_path / f"{number}.py").write_text("x = 1\n")
    code_census(always, str(tmp_path), limit=4)
    assert totals(capsys.readouterr().out) == [4, 0, 0, 0, 4]


def test_an_empty_folder_has_totals_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code_census(always, str(tmp_path))
    assert totals(capsys.readouterr().out) == [0, 0, 0, 0, 0]


def test_a_folder_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"The folder {tmp_path}/absent does not exist\."):
        code_census(always, str(tmp_path / "absent"))
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"/file is not a folder\."):
        code_census(always, str(tmp_path / "file"))


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root, as which tests may run, reads everything
    told: list[str] = []
    assert list(python_files(tmp_path, frozenset(), told.append)) == []
    assert told == [f"cannot be read  {tmp_path}/closed: PermissionError: Permission denied"]


def test_files_are_found_in_the_same_order_each_time(tmp_path: Path) -> None:
    for name in ("b/z.py", "b/a.py", "c.py", "a/x.py", "skip/y.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [
        str(path.relative_to(tmp_path))
        for path in python_files(tmp_path, frozenset({"skip"}), print)
    ]
    assert found == ["c.py", "a/x.py", "b/a.py", "b/z.py"]


def test_a_file_too_large_to_be_source_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "big.py", "wb") as file:
        file.truncate(module.MAX_BYTES + 1)
    with pytest.raises(OSError, match="too many to be source"):
        read_source(tmp_path / "big.py")


def test_names_are_shown_printable() -> None:
    assert shown(Path("/a/ü.py")) == "/a/ü.py"
    assert shown(Path("/a\nb")) == r"'/a\nb'"


def test_two_runs_at_once_share_no_bar_no_lock_and_no_thread(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    before = threading.active_count()
    first, second = module._bar(3), module._bar(3)
    with first, second:
        kinds: tuple[Any, Any] = (type(first), type(second))
        assert kinds[0].get_lock() is not kinds[1].get_lock()
        assert kinds[0]._instances is not kinds[1]._instances
        assert first.pos == second.pos == 0
        assert threading.active_count() == before


def test_on_the_standard_library_a_few_hundred_files_take_a_moment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code_census(always, limit=300)
    printed = capsys.readouterr()
    files, failed, functions, classes, lines = totals(printed.out)
    assert files == 300
    assert failed < 30
    assert functions > 3000
    assert classes > 500
    assert lines > 50_000
    assert "site-packages" not in printed.out.partition("\n")[2]
    assert "300/300" in printed.err


def test_it_is_a_job() -> None:
    made = make_job(code_census)
    assert made.bind({}) == {"folder": "", "limit": 0}
    assert made.parameters["properties"] == {
        "folder": {"type": "string", "default": ""},
        "limit": {"type": "integer", "minimum": 0, "default": 0},
    }
    assert made.description.startswith("Count functions, classes and lines")


def test_two_runs_do_not_parse_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython 3.11 would take a tree for broken, now and then."""
    parse, at_once, most = ast.parse, 0, 0

    def watched(*args: Any) -> ast.AST:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.05)
        at_once -= 1
        return parse(*args)

    monkeypatch.setattr(ast, "parse", watched)
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(count, [b"def a(): pass\n"] * 3))) == 1
    assert most == 1
