"""build.mjs with a real Node: names carry the content, old files go, errors are plain."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import page_build
import prepare
import pytest


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """Return a small front end of its own, with the project's bundler and packages."""
    node = prepare.require_node()
    page_build.install_packages(node, development=True)
    page = tmp_path / "frontend" / "src" / "page"
    page.mkdir(parents=True)
    shutil.copy(page_build.FRONTEND / "build.mjs", tmp_path / "frontend")
    (tmp_path / "frontend" / "node_modules").symlink_to(page_build.FRONTEND / "node_modules")
    (page / "main.ts").write_text("const word: string = 'alpha';\nconsole.log(word);\n")
    (page / "page.css").write_text("body {\n  color: red;\n}\n")
    (page / "icon.svg").write_text("<svg/>")
    return tmp_path / "frontend"


def bundle(frontend: Path, target: Path) -> subprocess.CompletedProcess[str]:
    node = prepare.require_node()
    command = [str(node.program), str(frontend / "build.mjs"), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_manifest_names_every_file_by_its_content(frontend: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "dist"
    assert bundle(frontend, target).returncode == 0
    manifest = json.loads((target / "manifest.json").read_text())
    assert set(manifest) == {"page.js", "page.css", "icon.svg"}
    assert "alpha" in (target / manifest["page.js"]).read_text()
    assert (target / manifest["page.css"]).read_text().strip() == "body{color:red}"
    assert {path.name for path in target.iterdir()} == {"manifest.json", *manifest.values()}


def test_changed_source_gets_a_new_name_and_the_old_file_goes(
    frontend: Path, tmp_path: Path
) -> None:
    bundle(frontend, tmp_path / "dist")
    before = json.loads((tmp_path / "dist" / "manifest.json").read_text())
    (tmp_path / "dist" / ".stamp").write_text("of the old sources")
    (frontend / "src" / "page" / "main.ts").write_text("console.log('beta');")
    bundle(frontend, tmp_path / "dist")
    after = json.loads((tmp_path / "dist" / "manifest.json").read_text())
    assert after["page.js"] != before["page.js"]
    assert after["page.css"] == before["page.css"]
    assert not (tmp_path / "dist" / before["page.js"]).exists()
    assert not (tmp_path / "dist" / ".stamp").exists()


def test_fault_in_a_source_is_one_plain_line_and_keeps_the_old_page(
    frontend: Path, tmp_path: Path
) -> None:
    bundle(frontend, tmp_path / "dist")
    before = (tmp_path / "dist" / "manifest.json").read_text()
    (frontend / "src" / "page" / "main.ts").write_text("import { x } from './nowhere.js';\nx();\n")
    failed = bundle(frontend, tmp_path / "dist")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: src/page/main.ts:1:")
    assert "./nowhere.js" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert (tmp_path / "dist" / "manifest.json").read_text() == before
