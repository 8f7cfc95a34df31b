"""The program between a supervisor and its app server: nothing that the app starts outlives it.

Run by its path: ``python -I -S guard.py GRACE_SECONDS PARENT_PID COMMAND...``, with a pipe as
standard input that the parent holds open. It starts COMMAND in a group of its own. When the pipe
ends, because the parent asks for it or has died, or on SIGTERM (the kernel's word that the
parent's thread has died), it ends COMMAND and all that descends from it: SIGTERM, and SIGKILL after
GRACE_SECONDS. When COMMAND ends by itself, so do its descendants. Its exit code is that of COMMAND,
with 128 added to the number of a signal.

It must not import flask_realtime: it starts in milliseconds and takes little memory.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _descendants() -> list[int]:
    """All processes below this one. Orphans come to it, as it is their subreaper."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != b"Z":
                children.setdefault(int(fields[1]), []).append(int(name))
    found, level = [], [os.getpid()]
    while level:
        level = [child for parent in level for child in children.get(parent, ())]
        found += level
    return found


def _signal_all(number: int, group: int) -> int:
    """Signal the group and all descendants; how many there are."""
    everyone = _descendants()
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(group, number)
    for pid in everyone:
        with suppress(ProcessLookupError, PermissionError):  # it has ended meanwhile
            os.kill(pid, number)
    return len(everyone)


def _reap(child: int) -> tuple[bool, int | None]:
    """Collect all that has ended: whether any child is left, and the exit code of `child`."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False, code
        if not pid:
            return True, code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)


def _start(command: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def main() -> int:
    grace, parent, command = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    asked = []
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.append(True))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 1
    child = _start(command)
    code = None
    while code is None and not asked:
        readable = select.select([0, wake], [], [])[0]
        if wake in readable:
            os.read(wake, 4096)
        if 0 in readable and not os.read(0, 1):
            asked.append(True)
        code = _reap(child)[1]
    kill_at = time.monotonic() + grace
    _signal_all(signal.SIGTERM, child)
    while True:
        left, ended = _reap(child)
        code = ended if ended is not None else code
        if not left:
            break
        if time.monotonic() >= kill_at:
            _signal_all(signal.SIGKILL, child)
        select.select([wake], [], [], 0.05)
        with suppress(BlockingIOError):  # nobody has ended
            os.read(wake, 4096)
    return 0 if code is None else code if code >= 0 else 128 - code


if __name__ == "__main__":
    # Interpreters' own way out would flush and collect; there is nothing to.
    os._exit(main())
