"""A folder of data that one program at a time may use."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import BinaryIO

from flask_realtime.errors import ConfigurationError

# The previous server of a folder may still be writing when the next program starts.
LOCK_TIMEOUT = 10.0


def lock_folder(data: Path) -> BinaryIO:
    """Hold `data` for this program alone, until the file returned and its copies are closed.

    A child that inherits the descriptor holds the lock as well. If the program that took it has
    ended and such a child remains, this waits for the child, LOCK_TIMEOUT at most.

    Raises ConfigurationError if another program holds it, OSError if the folder cannot be written.
    """
    file = open(data / "lock", "a+b")  # noqa: SIM115 - its owner closes it
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().decode("ascii", "replace").strip()
            if _is_running(owner) or time.monotonic() > deadline:
                file.close()
                raise ConfigurationError(
                    f"REDIS_DATA: the folder {data} is in use by another embedded redis-server "
                    f"(of process {owner or 'unknown'}): end that program, set REDIS_DATA to "
                    "another folder, or REDIS_URL to a server for both"
                ) from None
            time.sleep(0.02)
        except BaseException:
            file.close()
            raise
        else:
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
            return file


def _is_running(pid: str) -> bool:
    if not pid.isdigit() or not int(pid):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
