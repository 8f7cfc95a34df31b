"""What a wheel holds, and when building one asks for a Node."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import page_build
import pytest
from hatchling.builders.wheel import WheelBuilder

from hatch_build import PageBuildHook

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    built = subprocess.run(
        [*command, "--directory", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_the_library_alone(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"flask_realtime", next(top for top in tops if top.endswith(".dist-info"))}
    assert {"flask_realtime/errors.py", "flask_realtime/py.typed"} <= set(wheel.namelist())
    assert not [name for name in wheel.namelist() if "node_modules" in name or name.endswith(".ts")]


def test_wheel_carries_the_built_page(wheel: zipfile.ZipFile) -> None:
    dist = "flask_realtime/static/dist"
    manifest = json.loads(wheel.read(f"{dist}/manifest.json"))
    assert set(manifest) == {"page.js", "page.css", "icon.svg"}
    for name in manifest.values():
        assert wheel.getinfo(f"{dist}/{name}").file_size > 0


def hook(tmp_path: Path) -> PageBuildHook:
    builder = WheelBuilder(str(ROOT))
    return PageBuildHook(
        str(ROOT), {}, builder.config, builder.metadata, str(tmp_path), "wheel", builder.app
    )


@pytest.mark.parametrize(
    ("fresh", "node_on_path", "fetches"),
    [(True, False, False), (False, True, False), (False, False, True), (True, True, False)],
)
def test_build_fetches_node_only_when_there_is_work_and_none_on_path(
    fresh: bool,
    node_on_path: bool,
    fetches: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = page_build.Node(Path("/bin/false"), Path("/bin/false"))
    monkeypatch.setattr(page_build, "is_fresh", lambda: fresh)
    monkeypatch.setattr(page_build, "node_on_path", lambda: node if node_on_path else None)
    assert hook(tmp_path).dependencies() == ([page_build.NODE_WHEEL] if fetches else [])


def test_build_without_any_node_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_build, "is_fresh", lambda: False)
    monkeypatch.setattr(page_build, "find_node", lambda: None)
    with pytest.raises(SystemExit, match="Install Node 20 or newer"):
        hook(tmp_path).initialize("standard", {})
