"""Finds out whether a run waits for input: whether one of its threads is in a call that reads it.

The kernel tells what call a thread is in, and its arguments, in /proc/PID/task/TID/syscall. That is
for those who may trace the process, as an ancestor of the same user may.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import NamedTuple

from flask_realtime.isolation.keeper import procfs

_MOST_POLLED = 1024
_POLLIN = 1


class Input:
    """What a run reads: the terminal or the pipe that `descriptor` is the programs' end of."""

    def __init__(self, descriptor: int) -> None:
        about = os.fstat(descriptor)
        self._identity = (about.st_dev, about.st_ino)
        self._device = about.st_rdev

    def is_awaited(self, processes: list[procfs.Process], *, by_key: bool) -> bool:
        """Whether any thread of `processes` is in a call that waits for it.

        One that waits for other descriptors as well, as ssh does for its connection, counts only
        where the terminal gives keys one by one (`by_key`): then somebody is to press one.
        """
        return any(
            self._reads(process.pid, thread, by_key)
            for process in processes
            if process.state == "S"
            for thread in procfs.threads(process.pid)
        )

    def _reads(self, pid: int, thread: str, by_key: bool) -> bool:
        fields = procfs.content(f"/proc/{pid}/task/{thread}/syscall").split()
        if len(fields) < 7:  # "running", or not ours to look at
            return False
        number = int(fields[0])
        call = _CALLS.get(number)
        if call is None:
            return False
        arguments = [int(field, 16) for field in fields[1:7]]
        if by_key and not call.waits_for_ever(arguments):
            return False  # it fills the screen, and looks at the keys in between
        awaited = call.awaited(pid, arguments)
        ours = [descriptor for descriptor in awaited if self._is(pid, descriptor)]
        return bool(ours) and (by_key or len(ours) == len(awaited))

    def _is(self, pid: int, descriptor: int) -> bool:
        path = f"/proc/{pid}/fd/{descriptor}"
        try:
            about = os.stat(path)
            if (about.st_dev, about.st_ino) == self._identity:
                return True
            return bool(self._device) and os.readlink(path) == "/dev/tty"
        except OSError:  # it has ended, or is not ours to look at
            return False


def _read(pid: int, arguments: list[int]) -> list[int]:
    return [arguments[0]]


def _poll(pid: int, arguments: list[int]) -> list[int]:
    count = min(arguments[1], _MOST_POLLED)
    polled = struct.iter_unpack("ihh", _memory(pid, arguments[0], 8 * count))
    return [descriptor for descriptor, events, _ in polled if events & _POLLIN]


def _select(pid: int, arguments: list[int]) -> list[int]:
    count = min(arguments[0], 1024)
    if not arguments[1]:
        return []
    bits = int.from_bytes(_memory(pid, arguments[1], (count + 63) // 64 * 8), "little")
    return [number for number in range(count) if bits >> number & 1]


def _epoll(pid: int, arguments: list[int]) -> list[int]:
    lines = (
        line.split() for line in procfs.content(f"/proc/{pid}/fdinfo/{arguments[0]}").splitlines()
    )
    return [int(words[1]) for words in lines if words[:1] == [b"tfd:"]]


class _Call(NamedTuple):
    """A system call: what it waits for, and which of its arguments says for how long.

    That is in ms, negative for ever; or, `by_pointer`, where a time stands, null for ever.
    """

    awaited: Callable[[int, list[int]], list[int]]
    patience: int | None = None
    by_pointer: bool = False

    def waits_for_ever(self, arguments: list[int]) -> bool:
        if self.patience is None:
            return True
        given = arguments[self.patience]
        return given == 0 if self.by_pointer else bool(given & 0x8000_0000)


_READ = _Call(_read)
_PPOLL = _Call(_poll, 2, by_pointer=True)
_PSELECT = _Call(_select, 4, by_pointer=True)
_EPOLL_PWAIT = _Call(_epoll, 3)
_EPOLL_PWAIT2 = _Call(_epoll, 3, by_pointer=True)
# By their numbers: calls that read a descriptor, and those that wait for several.
_X86_64 = {
    **{0: _READ, 19: _READ, 7: _Call(_poll, 2), 271: _PPOLL, 23: _PSELECT, 270: _PSELECT},
    **{232: _EPOLL_PWAIT, 281: _EPOLL_PWAIT, 441: _EPOLL_PWAIT2},
}
_GENERIC = {  # aarch64 and those that came later
    **{63: _READ, 65: _READ, 73: _PPOLL, 72: _PSELECT, 22: _EPOLL_PWAIT, 441: _EPOLL_PWAIT2},
}
_CALLS = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}.get(os.uname().machine, {})


def _memory(pid: int, address: int, size: int) -> bytes:
    """What stands there in the memory of a process; nothing if it may not be read."""
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            data = memory.read(size) or b""
    except (OSError, OverflowError, ValueError):
        return b""
    return data[: len(data) // 8 * 8]
