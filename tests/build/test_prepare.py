"""Setting up a clone: what is missing is said in one line, what is done is not done again."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import page_build
import prepare
import pytest


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Work in an empty clone, where a fresh page and a Node exist; note what would be run."""
    noted: list[str] = []
    venv = tmp_path / ".venv"

    def note(command: list[str], what: str) -> None:
        if what == "pip":
            asked = command[command.index("--no-input") + 1 :]
            noted.append(" ".join(asked).replace(f"{tmp_path}/", ""))
        else:
            noted.append(what)
        if what == "creating .venv":
            (venv / "bin").mkdir(parents=True, exist_ok=True)
            (venv / "bin" / "python").touch(0o755)
            version = ".".join(map(str, sys.version_info[:3]))
            (venv / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")

    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "hatch_build.py"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(prepare, "ROOT", tmp_path)
    monkeypatch.setattr(prepare, "VENV", venv)
    monkeypatch.setattr(prepare, "PYTHON", venv / "bin" / "python")
    locks = {"run": tmp_path / "requirements.lock", "test": tmp_path / "requirements-dev.lock"}
    monkeypatch.setattr(prepare, "LOCKS", locks)
    monkeypatch.setattr(prepare, "call", note)
    node = page_build.Node(Path("node"), Path("npm-cli.js"))
    monkeypatch.setattr(prepare, "installed_node", lambda: node)
    monkeypatch.setattr(page_build, "is_fresh", lambda: True)
    monkeypatch.setattr(page_build, "build", lambda node: noted.append("build"))
    monkeypatch.setattr(
        page_build,
        "install_packages",
        lambda node, development: noted.append(f"npm, development={development}"),
    )
    return noted


def test_first_time_creates_all_and_the_second_does_nothing(calls: list[str]) -> None:
    prepare.prepare("run")
    assert calls[:2] == ["creating .venv", "--require-hashes --requirement requirements.lock"]
    assert calls[2].startswith("--no-deps --editable")
    calls.clear()
    prepare.prepare("run")
    assert calls == []


def test_test_packages_serve_a_run_as_well(calls: list[str]) -> None:
    prepare.prepare("test")
    assert "--require-hashes --requirement requirements-dev.lock" in calls
    calls.clear()
    prepare.prepare("run")
    assert calls == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "hatch_build.py"])
def test_pulled_changes_are_installed(name: str, calls: list[str], tmp_path: Path) -> None:
    prepare.prepare("run")
    calls.clear()
    (tmp_path / name).write_text("2")
    prepare.prepare("run")
    assert calls[0] == "--require-hashes --requirement requirements.lock"


def test_environment_of_another_python_is_made_anew(calls: list[str], tmp_path: Path) -> None:
    prepare.prepare("run")
    calls.clear()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.18\n")
    prepare.prepare("run")
    assert calls[0] == "creating .venv"


def test_environment_whose_python_has_gone_is_made_anew(calls: list[str], tmp_path: Path) -> None:
    prepare.prepare("run")
    calls.clear()
    (tmp_path / ".venv" / "bin" / "python").unlink()
    prepare.prepare("run")
    assert calls[0] == "creating .venv"


def test_stale_page_is_built_directly_where_there_is_a_node(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.prepare("run")
    calls.clear()
    monkeypatch.setattr(page_build, "is_fresh", lambda: False)
    prepare.prepare("run")
    assert calls == ["build"]


def test_stale_page_is_built_by_pip_where_there_is_no_node(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.prepare("run")
    calls.clear()
    monkeypatch.setattr(page_build, "is_fresh", lambda: False)
    monkeypatch.setattr(prepare, "installed_node", lambda: None)
    prepare.prepare("run")
    assert [call.split(" /")[0] for call in calls] == ["--no-deps --editable"]


def test_python_without_ensurepip_is_told_what_to_install(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find_spec(name)
    )
    assert prepare.main(["run"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "ensurepip is missing" in line
    assert f"apt install python3.{sys.version_info[1]}-venv" in line
    assert calls == []


def test_failed_step_is_not_taken_for_done(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note = prepare.call

    def fail(command: list[str], what: str) -> None:
        note(command, what)
        if what == "pip":
            raise prepare.PrepareError("pip failed with exit code 1; its message is above.")

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "call", fail)
        assert prepare.main(["run"]) == 1
    calls.clear()
    assert prepare.main(["run"]) == 0
    assert calls[0] == "--require-hashes --requirement requirements.lock"


def test_wrong_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["everything"]) == 2
    assert "usage" in capsys.readouterr().err
