"""Processes as /proc tells of them. What has ended meanwhile is None, or left out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time in a second


class Process(NamedTuple):
    """`ticks`: CPU time of it and of those children that it waited for; `began`: since the boot.

    `state` is a letter as of ps; "Z" has ended and was not waited for.
    """

    pid: int
    parent: int
    group: int
    state: str
    ticks: int
    began: int


def read(pid: int) -> Process | None:
    text = content(f"/proc/{pid}/stat")
    # The name before the last bracket may hold blanks and brackets.
    fields = text.rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    ticks = sum(map(int, fields[11:15]))
    return Process(pid, int(fields[1]), int(fields[2]), fields[0].decode(), ticks, int(fields[19]))


def below(root: int) -> list[Process]:
    """All that descend from `root` and live; parents come before their children."""
    found: list[Process] = []
    level = [root]
    children = _children if os.path.exists("/proc/thread-self/children") else _scan()
    while level:
        level = [child for parent in level for child in children(parent)]
        processes = [process for process in map(read, level) if process is not None]
        # The children of one that has ended went to `root`, and come with the next look.
        found += [process for process in processes if process.state != "Z"]
    return found


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for thread in threads(parent):
        found += map(int, content(f"/proc/{parent}/task/{thread}/children").split())
    return found


def _scan() -> Callable[[int], list[int]]:
    """The same where the kernel keeps no lists of children: by one look at all processes."""
    by_parent: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := read(int(name))) is not None:
            by_parent.setdefault(process.parent, []).append(process.pid)
    return lambda parent: by_parent.get(parent, [])


def threads(pid: int) -> list[str]:
    """The numbers of its threads."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


def memory(pid: int) -> int:
    """Bytes that are its own, or shared with its children: no files, swapped out or not."""
    return _kib(content(f"/proc/{pid}/status"), (b"RssAnon", b"RssShmem", b"VmSwap"))


def share(pid: int) -> int:
    """As `memory`, with what several share counted in parts, which sum up to all; it is slow."""
    return _kib(content(f"/proc/{pid}/smaps_rollup"), (b"Pss_Anon", b"Pss_Shmem", b"SwapPss"))


def _kib(text: bytes, names: tuple[bytes, ...]) -> int:
    lines = (line.split() for line in text.splitlines())
    return 1024 * sum(int(line[1]) for line in lines if line and line[0].rstrip(b":") in names)


def command(pid: int) -> str:
    """Its command line; the name in brackets of one that has none."""
    text = content(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
    if not text:
        text = b"[" + content(f"/proc/{pid}/comm").strip() + b"]"
    return text.decode("utf-8", "replace")


def content(path: str) -> bytes:
    """All of a file; nothing if it is gone, or not ours to look at."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        pieces = []
        while piece := os.read(descriptor, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
