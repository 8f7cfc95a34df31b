"""tools/install_docker.sh where there is no engine: one line, and a fault in CI only."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.containers.stack import ROOT


@pytest.fixture
def few_programs(tmp_path: Path) -> Path:
    """Return a folder to be the whole PATH: no docker, no apt."""
    for name in ("sh", "id", "tr", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return tmp_path


def install(programs: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs / "sh", ROOT / "tools" / "install_docker.sh"],
        cwd=ROOT,
        env={"PATH": str(programs), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_docker_it_says_what_to_install(few_programs: Path) -> None:
    told = install(few_programs)
    (line,) = told.stderr.splitlines()
    assert told.returncode == 3
    assert "sudo apt install docker.io docker-compose" in line


def test_without_an_engine_it_says_so(few_programs: Path) -> None:
    for name in ("docker", "docker-compose"):
        (few_programs / name).write_text("#!/bin/sh\nexit 1\n")
        (few_programs / name).chmod(0o755)
    told = install(few_programs)
    (line,) = told.stderr.splitlines()
    assert told.returncode == 3
    assert "the Docker engine does not answer" in line


def test_in_ci_it_fails(few_programs: Path) -> None:
    assert install(few_programs, CI="1").returncode == 1
