"""When the page is built anew, with which Node, and what is said when that fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import page_build
import pytest
from page_build import Node, PageBuildError


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    folder = tmp_path / "frontend"
    (folder / "src" / "page").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "build.mjs", "tsconfig.json"):
        (folder / name).write_text(name)
    (folder / "src" / "page" / "main.ts").write_text("1;")
    (folder / "src" / "page" / "other.ts").write_text("2;")
    return folder


def executable(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


def fake_node(folder: Path, version: str) -> Path:
    program = folder / "bin" / "node"
    return executable(program, f"#!/bin/sh\necho {version}\necho {program}\n")


def fake_npm(folder: Path) -> Path:
    cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return executable(cli, "")


def test_stamp_changes_with_content_name_and_removal(frontend: Path) -> None:
    seen = {page_build.stamp(frontend)}
    main = frontend / "src" / "page" / "main.ts"
    main.write_text("3;")
    seen.add(page_build.stamp(frontend))
    main.rename(main.with_name("renamed.ts"))
    seen.add(page_build.stamp(frontend))
    main.with_name("other.ts").unlink()
    seen.add(page_build.stamp(frontend))
    (frontend / "package-lock.json").write_text("newer")
    seen.add(page_build.stamp(frontend))
    assert len(seen) == 5


def test_stamp_is_not_fooled_by_text_that_moves_between_files(frontend: Path) -> None:
    main, other = frontend / "src" / "page" / "main.ts", frontend / "src" / "page" / "other.ts"
    main.write_text("ab")
    other.write_text("c")
    before = page_build.stamp(frontend)
    main.write_text("a")
    other.write_text("bc")
    assert page_build.stamp(frontend) != before


def test_stamp_ignores_tests_and_times(frontend: Path) -> None:
    before = page_build.stamp(frontend)
    (frontend / "src" / "page" / "main.test.ts").write_text("test();")
    os.utime(frontend / "src" / "page" / "main.ts", (1, 1))
    assert page_build.stamp(frontend) == before


def test_page_is_fresh_only_with_assets_made_from_these_sources(
    frontend: Path, tmp_path: Path
) -> None:
    assets = tmp_path / "dist"
    assert not page_build.is_fresh(frontend, assets)
    assets.mkdir()
    (assets / ".stamp").write_text(page_build.stamp(frontend) + "\n")
    assert not page_build.is_fresh(frontend, assets)  # the stamp alone serves no page
    (assets / "manifest.json").write_text("{}")
    assert page_build.is_fresh(frontend, assets)
    (frontend / "src" / "page" / "main.ts").write_text("changed")
    assert not page_build.is_fresh(frontend, assets)


@pytest.mark.parametrize(
    ("version", "usable"), [("18.19.0", False), ("20.1.0", True), ("24.0.1", True)]
)
def test_node_on_path_must_be_new_enough(
    version: str, usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, version)
    fake_npm(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    assert (page_build.node_on_path() is not None) is usable


def test_node_without_npm_is_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_node(tmp_path, "22.0.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert page_build.node_on_path() is None


def test_npm_installed_apart_from_node_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, "22.0.0")
    cli = fake_npm(tmp_path / "share")
    (tmp_path / "bin" / "npm").symlink_to(executable(cli, ""))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    node = page_build.node_on_path()
    assert node is not None
    assert node.npm == cli


def test_broken_node_is_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "bin" / "node", "#!/bin/sh\nexit 3\n")
    fake_npm(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert page_build.node_on_path() is None


# Python stands in for Node below: what counts is how a program that Node runs is treated.


@pytest.fixture
def project(frontend: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page_build, "FRONTEND", frontend)
    monkeypatch.setattr(page_build, "ASSETS", tmp_path / "dist")
    return frontend


def npm_that(does: str, frontend: Path) -> Node:
    return Node(Path(sys.executable), executable(frontend / "npm.py", does))


def test_npm_failure_shows_what_npm_said_first(project: Path) -> None:
    node = npm_that(
        "print('the cause'); print('x' * 5000); print('the end'); raise SystemExit(7)", project
    )
    with pytest.raises(PageBuildError) as raised:
        page_build.install_packages(node)
    message = str(raised.value)
    assert "npm failed with exit code 7" in message
    assert "the cause" in message
    assert "the end" not in message
    assert len(message) < 2100


def test_packages_are_installed_once_until_the_lock_changes(project: Path) -> None:
    node = npm_that(
        "import pathlib, sys\n"
        "pathlib.Path('node_modules').mkdir(exist_ok=True)\n"
        "with open('calls', 'a') as calls: print(*sys.argv[1:], file=calls)\n",
        project,
    )
    page_build.install_packages(node)
    page_build.install_packages(node)
    page_build.install_packages(node, development=True)
    page_build.install_packages(node)  # what tests need includes what the build needs
    (project / "package-lock.json").write_text("newer")
    page_build.install_packages(node)
    assert (project / "calls").read_text().splitlines() == [
        "ci --ignore-scripts --omit=dev",
        "ci --ignore-scripts",
        "ci --ignore-scripts --omit=dev",
    ]


def test_failed_build_leaves_no_stamp(project: Path, tmp_path: Path) -> None:
    node = npm_that("import pathlib; pathlib.Path('node_modules').mkdir(exist_ok=True)", project)
    (tmp_path / "dist").mkdir()
    (project / "build.mjs").write_text("raise SystemExit('main.ts:3:1: no such name')")
    with pytest.raises(PageBuildError, match=r"(?s)the page's build failed.*main\.ts:3:1"):
        page_build.build(node)
    assert not page_build.is_fresh(project, tmp_path / "dist")
    (project / "build.mjs").write_text(
        "import pathlib, sys; pathlib.Path(sys.argv[1], 'manifest.json').write_text('{}')"
    )
    page_build.build(node)
    assert page_build.is_fresh(project, tmp_path / "dist")
