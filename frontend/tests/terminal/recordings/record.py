"""Records what progress displays of real programs print, as data for recordings.test.ts.

Run it in an environment with tqdm and rich, with npm on the path: ``python record.py [name]...``.
Each recording is the bytes that a program wrote to a pseudo-terminal of 80 columns and 24 rows, as
``<name>.bin`` beside this file. The tests need the recordings only, not the programs.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS, ROWS = 80, 24
MAX_BYTES = 200_000


def record(command: list[str], folder: Path) -> bytes:
    """The bytes that the command writes to a terminal; blocks until it has ended."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "npm_config_cache": str(folder / "cache"),
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
    }
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environment
    )
    os.close(follower)
    output = bytearray()
    while len(output) < MAX_BYTES:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux answers EIO where a pipe would answer end-of-file
            break
        output += piece
    os.close(leader)
    if process.wait() != 0:
        raise SystemExit(f"{command} ended with {process.returncode}: {output[-500:]!r}")
    return bytes(output)


def npm(folder: Path) -> list[str]:
    """An install from folders, which needs no registry."""
    for name in ("alpha", "beta", "gamma"):
        package = folder / name
        package.mkdir()
        (package / "package.json").write_text(f'{{"name": "{name}", "version": "1.0.0"}}')
    (folder / "package.json").write_text(
        '{"name": "demo", "version": "1.0.0", "scripts": '
        '{"postinstall": "sleep 0.6", "hello": "printf \'\\\\033[32mhello\\\\033[0m\\\\n\'"}}'
    )
    steps = ("npm install --install-links ./alpha ./beta ./gamma", "npm install", "npm run hello")
    return ["sh", "-c", " && ".join(steps)]


def write(name: str, command: list[str], folder: Path) -> None:
    output = record(command, folder).replace(str(folder).encode(), b"/tmp/demo")
    (HERE / f"{name}.bin").write_bytes(output)
    print(f"{name}: {len(output)} bytes")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            program.stem: [sys.executable, str(program)]
            for program in sorted((HERE / "programs").glob("*.py"))
        }
        commands["npm"] = npm(Path(folder))
        for name in sys.argv[1:] or commands:
            write(name, commands[name], Path(folder))


if __name__ == "__main__":
    main()
