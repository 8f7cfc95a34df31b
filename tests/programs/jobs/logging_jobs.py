"""Jobs that log: what they say is output of their runs, not of the server."""

import logging
import sys
import threading
import warnings

from flask_realtime import job

log = logging.getLogger("invented.job")


@job
def log_lines(running, lines: int = 10):
    """Logs, warns, prints and fails, in its own thread and in another."""
    for number in range(lines):
        log.warning("logged %d by the job", number)
        print(f"printed {number} by the job", file=sys.stderr)
    warnings.warn("warned by the job", stacklevel=1)
    thread = threading.Thread(target=lambda: 1 // 0, name="of the job")
    thread.start()
    thread.join()
    raise LookupError("raised\nby the job")
