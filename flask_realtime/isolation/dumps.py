"""Python stacks of a process whose interpreter lock is held by C code, by way of faulthandler.

No Python code of such a process runs, so nothing in it can answer. But a signal arrives, on which
faulthandler writes to the file in memory of stackfile.py; it is read through /proc. Each thread is
sent a signal of its own and writes its own stack: that of a thread that runs on meanwhile could be
half changed, and whoever walks it then may crash.

Only a thread that computes gets one. A signal would end what another waits for, sleep(3) say: a
look must not change what it looks at.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from typing import Any

from flask_realtime.isolation.control import MAX_TEXT, MAX_THREADS, Dumps
from flask_realtime.isolation.ownframes import without_ours
from flask_realtime.isolation.stackfile import NAME, SIGNAL

MAX_BYTES = 64 << 10  # of a stack that are read; faulthandler ends after 100 frames
MAX_SOURCE = 4 << 20  # bytes of a file that lines of code are read from
LOOK_SECONDS = 0.005
LOOKS = 20  # for threads that compute; a disk may make one wait for a moment
# A stack has no end mark: it is whole when it has not grown for so long.
SETTLED_SECONDS = 0.015
EMPTY_SECONDS = 0.15  # in which nothing comes of a thread that runs no Python code

_HEAD = "Stack (most recent call first):"

_FRAME = re.compile(r'  File (?:"(.*)"|\?\?\?), line (\d+|\?\?\?) in (.*)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def take_dump(pid: int, dumps: Dumps, seconds: float = 1.0) -> list[dict[str, Any]]:
    """The `threads` of the protocol's report, of the process `pid`, the main thread first.

    For the server, off the hub. The threads that wait are left out, those that have not answered
    after `seconds`, and those that run no Python code. Raises OSError when the process is gone, or
    has become another program meanwhile, which the signal would end.
    """
    deadline = time.monotonic() + seconds
    file = _open(pid, dumps.descriptor)
    try:
        threads = []
        for native in _computing(pid, but=dumps.control):
            stack = parse_stack(_take(file, pid, native, deadline))
            if stack:
                threads.append(_thread(pid, native, without_ours(stack)))
    finally:
        os.close(file)
    return threads


def _open(pid: int, descriptor: int) -> int:
    path = f"/proc/{pid}/fd/{descriptor}"
    if not os.readlink(path).startswith(f"/memfd:{NAME}"):
        raise ProcessLookupError(f"{path} is no file for stacks")
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _computing(pid: int, but: int) -> list[int]:
    """The threads that do not wait for anything, the main thread first."""
    natives = sorted(map(int, os.listdir(f"/proc/{pid}/task")), key=lambda native: native != pid)
    for _ in range(LOOKS):
        before = {native: _waits(pid, native) for native in natives[:MAX_THREADS] if native != but}
        time.sleep(LOOK_SECONDS)
        found = [
            native
            for native, waits in before.items()
            if waits is not None and waits == _waits(pid, native)
        ]
        if found:
            return found
    return []


def _waits(pid: int, native: int) -> str | None:
    """How often the thread has waited until now, as far as the kernel tells; None if it does so
    now, or is gone.
    """
    status = _status(pid, native)
    if not re.search(r"^State:\s*R", status, re.MULTILINE):
        return None
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)
    return found[1] if found else ""


def _take(file: int, pid: int, native: int, deadline: float) -> str:
    """What the thread `native` writes; empty if it is gone, or waits, or is none of Python's."""
    os.ftruncate(file, 0)
    if _waits(pid, native) is None or ctypes.CDLL(None).tgkill(pid, native, int(SIGNAL)):
        return ""
    size, since = 0, time.monotonic()
    while (now := time.monotonic()) < deadline:
        if now - since >= (SETTLED_SECONDS if size else EMPTY_SECONDS):
            break
        time.sleep(LOOK_SECONDS)
        reached = os.fstat(file).st_size
        if reached != size or _is_pending(pid, native):
            size, since = reached, time.monotonic()
    text = os.pread(file, MAX_BYTES, 0).decode("ascii", "replace")
    # One that was late with its stack must not be taken for the next.
    return text if text.count(_HEAD) == 1 else ""


def _is_pending(pid: int, native: int) -> bool:
    """Whether the signal has not reached the thread yet."""
    found = re.search(r"^SigPnd:\s*([0-9a-f]+)", _status(pid, native), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> (SIGNAL - 1) & 1)


def _status(pid: int, native: int) -> str:
    """What the kernel tells of a thread; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/task/{native}/status", encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _thread(pid: int, native: int, stack: list[dict[str, Any]]) -> dict[str, Any]:
    for frame in stack:
        frame["code"] = _code(frame["file"], frame["line"])
    name = "MainThread" if native == pid else f"thread {native}"
    return {"name": name, "ident": native, "doing": "", "stack": stack}


def parse_stack(text: str) -> list[dict[str, Any]]:
    """What faulthandler writes of one thread, as the protocol's `stack`; without lines of code."""
    stack = []
    for found in map(_FRAME.fullmatch, text.splitlines()):
        if found:
            number = 0 if found[2] == "???" else int(found[2])
            stack.append(_frame(_unescape(found[1] or "???"), number, _unescape(found[3])))
    return stack[::-1]


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
