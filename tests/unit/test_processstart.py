"""Runs in processes that cannot start: one line that names what is wrong, and the exit code."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.keeper import startfault
from tests.support.boxes import Boxed, command


def started(file: Path, folder: Path | None = None) -> Boxed:
    """A run of `file`, which has changed since its job was made."""
    job = command("true")
    assert job.command is not None
    broken = replace(
        job.command,
        arguments=(replace(job.command.arguments[0], pieces=(str(file),)),),
        cwd=str(folder or file.parent),
    )
    return Boxed(replace(job, command=broken))


def script(folder: Path, content: str, mode: int = 0o755) -> Path:
    file = folder / "backup.sh"
    file.write_bytes(content.encode())
    file.chmod(mode)
    return file


@pytest.fixture
def faults(tmp_path: Path) -> dict[str, tuple[Boxed, int, str]]:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).mkdir()
    absent = tmp_path / "gone"
    closed = script(tmp_path / "a", "#!/bin/sh\n", 0o644)
    nobody = script(tmp_path / "b", "#!/usr/bin/no-such-thing -x\n")
    windows = script(tmp_path / "c", "#!/bin/sh\r\necho\r\n")
    text = script(tmp_path / "d", "echo hi\n")
    return {
        "missing": (started(absent), 127, f"the command {absent} does not exist"),
        "not executable": (
            *(started(closed), 126),
            f"the command {closed} is not executable: chmod +x {closed}",
        ),
        "interpreter": (
            *(started(nobody), 126),
            f"the command {nobody} cannot be run: its interpreter /usr/bin/no-such-thing, named "
            "in its first line, does not exist",
        ),
        "line ends": (
            *(started(windows), 126),
            f"the command {windows} cannot be run: the first line ends as on Windows: save it "
            "with line ends of Unix",
        ),
        "no program": (
            *(started(text), 126),
            f"the command {text} cannot be run: it is no program, and its first line names no "
            "interpreter (#!/bin/sh)",
        ),
        "folder as command": (
            *(started(tmp_path / "e"), 126),
            f"the command {tmp_path / 'e'} is a folder",
        ),
        "folder": (
            *(started(text, absent), 126),
            f"the folder {absent} to run in does not exist",
        ),
        "in PATH": (
            *(started(Path("no-such-command"), tmp_path), 127),
            f"the command no-such-command does not exist in PATH ({os.environ['PATH']})",
        ),
    }


def test_a_start_that_fails_says_why_in_one_line(
    faults: dict[str, tuple[Boxed, int, str]],
) -> None:
    for box, code, reason in faults.values():
        assert box.end() == Exit("failed", code, reason)
        assert box.output.decode() == f"{reason}\n"


def test_what_a_hook_raises_is_the_end_of_the_run() -> None:
    def refuse() -> None:
        raise ValueError("no token for ada")

    box = Boxed(command("echo", "never"), prepare=refuse)
    assert box.end() == Exit("failed", 1, "ValueError: no token for ada")
    assert box.output == b"ValueError: no token for ada\n"


def test_other_systems_than_linux_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan 9")
    end = Boxed(command("echo", "never")).end()
    assert (end.state, end.code) == ("failed", 1)
    assert end.reason.startswith("isolation='process' needs Linux, and this is ")


def test_no_room_for_a_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("flask_realtime.isolation.process.KeptProcess", refuse)
    end = Boxed(command("echo", "never")).end()
    assert end == Exit("failed", 1, "no process can be started: Resource temporarily unavailable")


@pytest.mark.parametrize("which", ["os.pipe", "subprocess.Popen"])
def test_a_start_that_fails_half_way_holds_nothing(
    which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = os.pipe
    calls = []

    def refuse(*_: object, **__: object) -> tuple[int, int]:
        calls.append(which)
        if which == "os.pipe" and len(calls) == 1:
            return made()
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(which, refuse)
    end = Boxed(command("echo", "never", terminal=False)).end()
    assert end == Exit("failed", 1, "no process can be started: Too many open files")
    assert calls


def test_other_faults_are_told_as_the_system_tells_them(tmp_path: Path) -> None:
    file = script(tmp_path, "#!/bin/sh\n")
    assert startfault.explain(7, [str(file)], None, "") == (
        f"the command {file} cannot be run: Argument list too long",
        126,
    )
    assert startfault.explain_folder(13, "/root/x") == (
        "the folder /root/x cannot be run in: Permission denied",
        126,
    )
