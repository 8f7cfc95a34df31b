"""Records what progress bars of real programs print, as data for test_progressreader.py.

``python tests/recordings/record.py``, with curl, wget, git, and tqdm and rich for Python. Each
recording is what a program wrote to a pseudo-terminal of 100 columns, as ``<name>.bin`` beside this
file. The tests need the recordings only.
"""

from __future__ import annotations

import fcntl
import http.server
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS, ROWS = 100, 30
MAX_BYTES = 60_000
SIZE = 3_000_000  # bytes of what is loaded

OPEN_END = """
import time
from tqdm import tqdm
for _ in tqdm((each for each in range(300)), desc="rows", unit="row", mininterval=0.05):
    time.sleep(0.002)
"""
COLUMNS_OF_RICH = """
import time
from rich.progress import *
columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), DownloadColumn(),
           TransferSpeedColumn(), TextColumn("eta"), TimeRemainingColumn()]
with Progress(*columns, refresh_per_second=20) as progress:
    tasks = [progress.add_task(name, total=size) for name, size in (("all", 60), ("one", 40))]
    for step in range(60):
        for task in tasks:
            progress.advance(task)
        time.sleep(0.01)
"""


def record(command: list[str], folder: Path) -> bytes:
    """The bytes that the command writes to a terminal; blocks until it has ended."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    environment |= {"TERM": "xterm-256color", "GIT_CONFIG_NOSYSTEM": "1"}
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environment
    )
    os.close(follower)
    output = bytearray()
    while True:
        try:
            output += os.read(leader, 65536)
        except OSError:  # Linux answers EIO where a pipe would answer end-of-file
            break
    os.close(leader)
    if process.wait() != 0:
        raise SystemExit(f"{command} ended with {process.returncode}: {output[-500:]!r}")
    return bytes(output).replace(str(folder).encode(), b"/tmp/demo")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        (folder / "big.iso").write_bytes(os.urandom(SIZE))
        subprocess.run(["git", "init", "-q", "source"], check=True)
        for number in range(300):
            (folder / "source" / f"{number}.dat").write_bytes(os.urandom(5000))
        subprocess.run(["git", "-C", "source", "add", "."], check=True)
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        commit = ["git", "-C", "source", *author, "commit", "-q", "-m", "Add files"]
        subprocess.run(commit, check=True)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/big.iso"
        commands = {
            "curl": ["curl", "-#", "--limit-rate", "1M", "-o", "one.iso", url],
            "wget": ["wget", "--progress=bar:force:noscroll", "--limit-rate=2m", "-O", "two", url],
            "git": ["git", "clone", "--progress", f"file://{folder}/source", "copy"],
            "tqdm_open_end": [sys.executable, "-c", OPEN_END],
            "rich_columns": [sys.executable, "-c", COLUMNS_OF_RICH],
        }
        for program, command in commands.items():
            output = record(command, folder)
            (HERE / f"{program}.bin").write_bytes(output[-MAX_BYTES:])
            print(f"{program}: {len(output)} bytes")
        server.shutdown()


if __name__ == "__main__":
    main()
