"""Python stacks of a process whose interpreter lock is held by C code, by way of faulthandler.

No Python code of such a process runs, so nothing in it can answer. But a signal arrives, on which
faulthandler writes to the file in memory of stackfile.py; it is read through /proc.
"""

from __future__ import annotations

import os
import re
import signal
import time
from typing import Any

from flask_realtime.isolation.control import MAX_TEXT, MAX_THREADS, Dumps
from flask_realtime.isolation.ownframes import without_ours
from flask_realtime.isolation.stackfile import NAME, SIGNAL

MAX_BYTES = 256 << 10  # of a dump that are read; faulthandler ends at 100 threads of 100 frames
MAX_SOURCE = 4 << 20  # bytes of a file that lines of code are read from
SETTLED_SECONDS = 0.05  # nothing more came for so long: it is whole, for it has no end mark

_HEAD = re.compile(
    r"(?:Current thread|Thread) 0x([0-9a-f]+)(?: \[(.*)\])? \(most recent call first\):"
)
_FRAME = re.compile(r'  File (?:"(.*)"|\?\?\?), line (\d+|\?\?\?) in (.*)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def take_dump(pid: int, dumps: Dumps, seconds: float = 1.0) -> list[dict[str, Any]]:
    """The `threads` of the protocol's report, of the process `pid`. For the server, off the hub.

    It takes at least SETTLED_SECONDS and at most `seconds`. Raises OSError when the process is
    gone, or has become another program meanwhile, which the signal would end.
    """
    process = os.pidfd_open(pid)
    try:
        path = f"/proc/{pid}/fd/{dumps.descriptor}"
        if not os.readlink(path).startswith(f"/memfd:{NAME}"):
            raise ProcessLookupError(f"{path} is no file for stacks")
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.ftruncate(file, 0)
            signal.pidfd_send_signal(process, SIGNAL)
            _wait_for_end(file, seconds)
            text = os.pread(file, MAX_BYTES, 0).decode("ascii", "replace")
        finally:
            os.close(file)
    finally:
        os.close(process)
    threads = parse_dump(text, dumps)
    for thread in threads:
        thread["stack"] = without_ours(thread["stack"])
        for frame in thread["stack"]:
            frame["code"] = _code(frame["file"], frame["line"])
    return threads


def _wait_for_end(file: int, seconds: float) -> None:
    now = time.monotonic()
    deadline, settled, size = now + seconds, now + seconds, 0
    while now < min(deadline, settled):
        time.sleep(0.005)
        now = time.monotonic()
        reached = os.fstat(file).st_size
        if reached != size:
            size, settled = reached, now + SETTLED_SECONDS


def parse_dump(text: str, dumps: Dumps) -> list[dict[str, Any]]:
    """What faulthandler writes, as the protocol's `threads`; the lines of code are left empty.

    The thread of the control socket is not the job's, and left out.
    """
    threads: list[dict[str, Any]] = []
    stack: list[dict[str, Any]] = []
    for line in text.splitlines():
        if found := _HEAD.fullmatch(line):
            ident = int(found[1], 16)
            stack = []
            if ident != dumps.control and len(threads) < MAX_THREADS:
                name = found[2] or ("MainThread" if ident == dumps.main else f"thread {ident}")
                threads.append({"name": name, "ident": ident, "doing": "", "stack": stack})
        elif found := _FRAME.fullmatch(line):
            number = 0 if found[2] == "???" else int(found[2])
            stack.insert(0, _frame(_unescape(found[1] or "???"), number, _unescape(found[3])))
        elif not line.startswith("  "):
            stack = []  # what else is written, such as stacks of C code
    return threads


def _frame(file: str, line: int, function: str) -> dict[str, Any]:
    return {"file": file[:MAX_TEXT], "line": line, "function": function[:MAX_TEXT], "code": ""}


def _unescape(text: str) -> str:
    """faulthandler writes ASCII. A lone surrogate stays spelled out: it could not be sent on."""

    def character(found: re.Match[str]) -> str:
        number = int(found[1] or found[2] or found[3], 16)
        return found[0] if 0xD800 <= number < 0xE000 or number > 0x10FFFF else chr(number)

    return _ESCAPE.sub(character, text)


def _code(file: str, line: int) -> str:
    """A line of a source file, empty if it cannot be read."""
    import linecache

    # What a child names may be anything: a FIFO would make us wait.
    if not os.path.isfile(file) or os.path.getsize(file) > MAX_SOURCE:
        return ""
    linecache.checkcache(file)
    return linecache.getline(file, line).strip()[:MAX_TEXT]
