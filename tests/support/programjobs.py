"""A jobs folder with the programs of tests/programs/commands and functions in processes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

COMMANDS = Path(__file__).resolve().parents[1] / "programs" / "commands"


def add_program(folder: Path, program: Path, name: str, table: str = "") -> Path:
    """Make the job `name` of a Python program; `table` is its TOML file. Returns the executable."""
    executable = folder / name
    executable.write_text(f"#!{sys.executable}\n{program.read_text('utf-8')}", "utf-8")
    executable.chmod(0o755)
    (folder / f"{name}.toml").write_text(f"{table}\n", "utf-8")
    return executable


def make_jobs(folder: Path, tables: Mapping[str, str]) -> None:
    """Make jobs of the programs that `tables` names, and of the functions of processjobs.py."""
    for name, table in tables.items():
        add_program(folder, COMMANDS / f"{name}.py", name, table)
    shutil.copy(COMMANDS.parent / "processjobs.py", folder / "functions.py")
