"""The lock files: exact, hashed, in step with pyproject.toml, silent about where to fetch from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
APPS = ROOT / "requirements-apps.lock"
NPM = ROOT / "frontend" / "package-lock.json"


def project() -> str:
    return (ROOT / "pyproject.toml").read_text()


def listed(section: str, key: str) -> list[Requirement]:
    """Return the requirements of a list in pyproject.toml (Python 3.10 has no tomllib)."""
    body = re.search(rf"\[{re.escape(section)}\].*?^{key} = \[\n(.*?)^\]", project(), re.S | re.M)
    assert body is not None
    found = [Requirement(text) for text in re.findall(r'^    "(.+)",$', body[1], re.M)]
    own = [each for each in found if each.name == "flask-realtime"]  # another of its extras
    for extra in (extra for each in own for extra in each.extras):
        found += listed(section, extra)
    return [each for each in found if each not in own]


def locked(path: Path) -> dict[str, list[Requirement]]:
    pins: dict[str, list[Requirement]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\").strip())
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


@pytest.mark.parametrize("path", [RUNTIME, APPS, DEVELOPMENT, NPM], ids=lambda path: path.name)
def test_names_no_place_to_fetch_from(path: Path) -> None:
    content = path.read_text()
    assert not re.search(r"(https?|file|git|ssh):|--(extra-)?index-url|--find-links", content)
    assert '"resolved"' not in content
    assert not re.search(r"/(home|root|opt|tmp|work)/", content)


@pytest.mark.parametrize("path", [RUNTIME, APPS, DEVELOPMENT], ids=lambda path: path.name)
def test_every_pin_is_exact_and_hashed(path: Path) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.M)[1:]
    assert len(blocks) > 30
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+==[^\s]+", block)
        assert "--hash=sha256:" in block


def test_every_dependency_is_locked_at_a_version_it_allows() -> None:
    runtime, development = locked(RUNTIME), locked(DEVELOPMENT)
    wanted = listed("project", "dependencies")
    assert len(wanted) >= 10
    for requirement, pins in [(r, runtime) for r in wanted] + [
        (r, development) for r in wanted + listed("project.optional-dependencies", "test")
    ]:
        found = pins[canonicalize_name(requirement.name)]
        for pin in found:
            assert requirement.specifier.contains(str(pin.specifier).removeprefix("=="))


def test_the_tests_run_with_the_versions_that_a_server_runs_with() -> None:
    development = locked(DEVELOPMENT)
    for name, pins in [*locked(RUNTIME).items(), *locked(APPS).items()]:
        assert {str(pin.specifier) for pin in pins} <= {str(p.specifier) for p in development[name]}


def test_npm_packages_have_hashes() -> None:
    packages = json.loads(NPM.read_text())["packages"]
    assert len(packages) > 10
    assert all("integrity" in entry for name, entry in packages.items() if name)


def test_npm_lock_matches_the_package_file() -> None:
    package = json.loads((NPM.parent / "package.json").read_text())
    root = json.loads(NPM.read_text())["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == package[kind]
