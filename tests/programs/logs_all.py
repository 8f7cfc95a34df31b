"""Tells of itself in every way a program can, with LOG_FORMAT=json: see tests/unit/test_logs.py."""

import logging
import sys
import threading
import traceback
import warnings

from app.logs import log_to_stderr
from flask_realtime.masking import Secrets

SECRET = 'invented "secret" \\ ü 0123'

if __name__ == "__main__":
    secrets = Secrets()
    secrets.add(SECRET)
    log_to_stderr("info", secrets, "json")
    log = logging.getLogger("flask_realtime.example")
    log.info("plain")
    log.info("two\nlines \u2028 and \x1b[31mmore\x1b[0m \udcff %s", SECRET)
    log.warning("of a run", extra={"run": "0001", "user": "mia"})
    try:
        raise LookupError(f"first\nsecond {SECRET}")
    except LookupError:
        log.exception("a fault")
    log.info("wrong arguments %d", "x")
    print("printed")
    print("printed\ntwice", file=sys.stderr)
    print("no end", end="", file=sys.stderr, flush=True)
    sys.stdout.write("in ")
    sys.stdout.write("pieces\n")
    try:
        raise KeyError("shown by the traceback module")
    except KeyError:
        traceback.print_exc()
    warnings.warn("a warning", stacklevel=1)
    thread = threading.Thread(target=lambda: 1 // 0, name="divider")
    thread.start()
    thread.join()

    class Unraisable:
        def __del__(self):
            raise ValueError("while it was deleted")

    del Unraisable
    faulty = type("Faulty", (), {"__del__": lambda self: {}[1]})()
    del faulty
    raise SystemError("the end")
