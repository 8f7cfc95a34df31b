"""What the server itself logs: to stderr, one event after the other, without the secrets it knows.

As text for people, or as JSON: one line an event, whatever the event is. Needs no Flask, for
workers log the same way; what a web process knows beside it comes from app/logcontext.py.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from app.capturedstream import CapturedStream
from flask_realtime.currentrun import current_run
from flask_realtime.masking import Secrets

FORMATS = ("text", "json")
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OF_A_JOB = "%(levelname)s %(name)s: %(message)s"
LEVEL_OF_A_JOB = logging.INFO  # LOG_LEVEL is the server's: nobody's run is to be flooded by it
OWN = ("app", "flask_realtime")  # whose entries are the server's, also where a job called them
# These add a handler of their own, which masks nothing, unless they have a level already.
SOCKET_LOGGERS = ("socketio.server", "engineio.server")

Context = Callable[[], dict[str, str]]


class MaskingFormatter(logging.Formatter):
    """Masks secrets in whole entries: arguments and tracebacks included."""

    def __init__(self, text: str, secrets: Secrets) -> None:
        super().__init__(text)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._secrets.mask(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object on one line, ASCII: docs/operations.md names its fields.

    `context()` is asked for what is known where an entry is made (request_id, run, user); what an
    entry says itself by ``extra={"run": ...}`` counts before that. Texts are masked before they
    are encoded: encoded, a secret may look different.
    """

    def __init__(self, secrets: Secrets, context: Context) -> None:
        super().__init__()
        self._secrets = secrets
        self._context = context
        self._node = socket.gethostname()

    def format(self, record: logging.LogRecord) -> str:
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Any] = {
            "time": f"{second}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "node": self._node,
            "pid": os.getpid(),
        }
        entry |= self._context()
        for name in ("request_id", "run", "user"):
            if (said := record.__dict__.get(name)) is not None:
                entry[name] = str(said)
        if record.exc_info and record.exc_info[0] is not None:
            entry["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = record.stack_info
        return json.dumps(
            {
                name: self._secrets.mask(value) if isinstance(value, str) else value
                for name, value in entry.items()
            }
        )


class ServerLog(logging.Handler):
    """Writes entries to the descriptor of stderr, each whole.

    What a job logs is output of its run and goes there: `sys.stderr` is that, in a job.
    """

    def __init__(self, formatter: logging.Formatter, descriptor: int) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._of_a_job = logging.Formatter(OF_A_JOB)
        self._descriptor = descriptor

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the handler's lock: a job whose buffer is full waits here, and nobody else must.
        if current_run() is not None and record.name.partition(".")[0] not in OWN:
            if record.levelno >= LEVEL_OF_A_JOB:
                sys.stderr.write(self._of_a_job.format(record) + "\n")
            return True
        return bool(super().handle(record))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # Of surrogates, which some names of files have, nothing may be left over for the next.
            data = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:  # of stderr itself: there is nowhere to tell it
            return
        except Exception:  # noqa: BLE001  # as of all handlers: logging fails nobody
            self.handleError(record)


def log_to_stderr(
    level: str, secrets: Secrets, form: str = "text", context: Context | None = None
) -> None:
    """Log entries of `level` and above, in a form of FORMATS; for the main program, once.

    As JSON, whatever else this process writes to stdout and stderr becomes entries as well: what
    is printed, uncaught exceptions, warnings. What children write there does not.
    """
    if form == "json":
        formatter: logging.Formatter = JsonFormatter(secrets, context or of_the_run)
    else:
        formatter = MaskingFormatter(TEXT, secrets)
    try:
        descriptor = sys.stderr.fileno()
    except OSError:  # an IDE's window may have none
        descriptor = 2
    handler = ServerLog(formatter, descriptor)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # At debug level it logs each login's code verifier, which is a secret for a moment.
    logging.getLogger("authlib").setLevel(max(logging.INFO, logging.getLogger().level))
    for name in SOCKET_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    if form == "json":
        _capture()


def of_the_run() -> dict[str, str]:
    """The run that the calling code belongs to, if it belongs to one."""
    run = current_run()
    return {} if run is None else {"run": run.id, "user": run.user}


def _capture() -> None:
    sys.stdout = CapturedStream(sys.stdout, logging.getLogger("stdout"), logging.INFO)
    sys.stderr = CapturedStream(sys.stderr, logging.getLogger("stderr"), logging.WARNING)
    logging.captureWarnings(True)
    log = logging.getLogger("uncaught")

    def of_program(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("the program ends by an exception", exc_info=(kind, error, trace))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        run = current_run()
        if run is not None:  # output of the job that started the thread
            threading.__excepthook__(args)
        elif args.exc_value is not None:
            name = args.thread.name if args.thread is not None else "?"
            log.error(
                "thread %s ended by an exception",
                name,
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    def unraisable(args: Any) -> None:
        log.error(
            "%s: %r",
            args.err_msg or "exception ignored in",
            args.object,
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )

    sys.excepthook = of_program
    threading.excepthook = of_thread
    sys.unraisablehook = unraisable
