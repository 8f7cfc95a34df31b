"""Where a job's process lets faulthandler write the stacks of its threads (dumps.py reads them)."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal

# What programs use themselves comes from the ends of the range.
SIGNAL = signal.SIGRTMAX - 3
NAME = "flask_realtime_stacks"


def register() -> int | None:
    """Let each thread that gets SIGNAL write its stack; the file that it writes to, or None.

    None where files in memory cannot be made, or cannot be read from elsewhere.
    """
    if not hasattr(os, "memfd_create") or not os.path.exists("/proc/self/fd"):
        return None
    file = os.memfd_create(NAME)
    _append_only(file)
    faulthandler.register(SIGNAL, file=file, all_threads=False, chain=False)
    return file


def _append_only(file: int) -> None:
    # The server empties the file before each dump: what is written begins at its end then.
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
