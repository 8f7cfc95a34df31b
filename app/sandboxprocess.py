"""The Webex sandbox beside the application: a child process, for who has no Webex integration."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_realtime.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
READY = "Webex sandbox: "  # what it prints before its address once it answers
READY_SECONDS = 20.0
STOP_SECONDS = 5.0


@contextmanager
def sandbox_running(spaces: int, messages: int) -> Iterator[str]:
    """Start a sandbox whose users have `spaces` with `messages` each; yield its address.

    It ends with the block, and with this process however that ends: its stdin is our pipe.
    Raises ConfigurationError when it does not start.
    """
    command = [sys.executable, "-m", "webexsandbox", "--port", "0", "--watch-stdin"]
    command += ["--spaces", str(spaces), "--messages", str(messages)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl+C is for us: the jobs may need it until they have ended
    )
    try:
        yield _address(process)
    finally:
        _stop(process)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    alarm = threading.Timer(READY_SECONDS, process.kill)
    alarm.start()
    try:
        line = process.stdout.readline()  # nothing when it ends, or is ended, before it answers
    finally:
        alarm.cancel()
    if not line.startswith(READY):
        raise ConfigurationError(
            f"the Webex sandbox did not start (it said {line.strip()!r}): "
            "set CLIENT_ID for a real Webex login, or LOGIN=none for no login at all"
        )
    return line.removeprefix(READY).strip()


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()  # the sandbox ends when its stdin does
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
