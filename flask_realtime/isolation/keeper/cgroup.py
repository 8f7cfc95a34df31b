"""A control group of the run's own, where the host lets the server make one (cgroup v2).

It adds to what the keeper does without it: all are killed at one blow, who forks fast and who has
got away from a keeper that was killed included; and the kernel itself bounds their memory.
https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from flask_realtime.isolation.keeper.procfs import content


class Cgroup:
    """A group by its folder. What cannot be done with it is left undone: the keeper does the rest.

    `bounds_memory` is whether the kernel does.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.bounds_memory = False

    def enter(self) -> None:
        """Let this process belong to it, and all that descend from it. Raises OSError."""
        self._write("cgroup.procs", b"0")

    def bound_memory(self, size: int) -> None:
        """In bytes. Only where the groups around it have handed that controller down."""
        with suppress(OSError):
            self._write("memory.max", b"%d" % size)
            self.bounds_memory = True
            self._write("memory.swap.max", b"0")

    def has_run_out_of_memory(self) -> bool:
        """Whether the kernel has ended a process of it for the bound."""
        lines = content(f"{self.folder}/memory.events").splitlines()
        return any(line.startswith(b"oom_kill ") and line.split()[1] != b"0" for line in lines)

    def kill(self) -> None:
        """End all that belong to it (Linux 5.14)."""
        with suppress(OSError):
            self._write("cgroup.kill", b"1")

    def remove(self, seconds: float = 0.0) -> None:
        """Once nobody belongs to it; wait for that up to `seconds`."""
        give_up_at = time.monotonic() + seconds
        while True:
            try:
                os.rmdir(self.folder)
            except FileNotFoundError:
                return
            except OSError:  # somebody is in it
                if time.monotonic() >= give_up_at:
                    return
                time.sleep(0.01)
            else:
                return

    def _write(self, name: str, text: bytes) -> None:
        descriptor = os.open(f"{self.folder}/{name}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text)
        finally:
            os.close(descriptor)


def make_cgroup(name: str, around: str | None = None) -> Cgroup | None:
    """A new group `name` in the one of this process, or in `around`; None where there is none."""
    around = own_folder() if around is None else around
    if around is None or not os.access(around, os.W_OK):
        return None
    group = Cgroup(os.path.join(around, name))
    try:
        os.mkdir(group.folder)
    except OSError:
        return None
    return group


def own_folder(belongs: bytes | None = None, mounts: bytes | None = None) -> str | None:
    """The folder of the group that this process belongs to, if cgroup v2 is mounted.

    The arguments are what /proc/self/cgroup and /proc/self/mountinfo say.
    """
    belongs = content("/proc/self/cgroup") if belongs is None else belongs
    mounts = content("/proc/self/mountinfo") if mounts is None else mounts
    for line in belongs.splitlines():
        if not line.startswith(b"0::/"):
            continue
        path = os.fsdecode(line[len(b"0::") :])
        for mount in mounts.splitlines():
            before, _, after = mount.partition(b" - ")
            if after.split()[:1] == [b"cgroup2"] and before.split()[3] == b"/":
                return os.path.normpath(os.fsdecode(before.split()[4]) + path)
    return None
