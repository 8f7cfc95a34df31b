"""All processes of a run: who is left, and how they are ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from flask_realtime.isolation.keeper import procfs
from flask_realtime.isolation.keeper.cgroup import Cgroup


class Tree:
    """What descends from the keeper, which is its subreaper: nobody gets out of it.

    From `watch` on it counts who ends.
    """

    def __init__(self, main: int, group: Cgroup | None) -> None:
        self.main = main
        self.group = group
        self.status: int | None = None  # of the main process, once it has ended
        self.empty = False
        self._keeper = os.getpid()
        self._counting = False
        self._seen: set[int] = set()

    def processes(self) -> list[procfs.Process]:
        return procfs.below(self._keeper)

    def watch(self) -> None:
        """Those who are there now, or come later, are counted when they end."""
        self._counting = True
        if self.status is None:  # it may have ended a moment ago
            self._seen.add(self.main)
        self._noted()

    def reap(self) -> None:
        """Collect all that have ended and come to the keeper."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.empty = True
                return
            if not pid:
                return
            if pid == self.main:
                self.status = status
                # From here on: with it the kernel hangs the terminal up, which ends others.
                self._counting = True
            elif self._counting and os.WIFSIGNALED(status):
                self._seen.add(pid)

    def counts(self) -> tuple[int, int]:
        """How many have ended since `watch`, and how many are left."""
        left = {process.pid for process in self.processes()}
        return len(self._seen - left), len(left)

    def interrupt(self, number: int) -> None:
        """Signal the main process and its group, as a terminal does."""
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
            os.killpg(self.main, number)

    def terminate(self) -> None:
        """Ask every process to end, once each; those that are stopped hear it as well."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            for process in self._noted():
                _send(process, number)

    def kill(self) -> None:
        """End every process, and every group at once: none can fork out of that."""
        processes = self._noted()
        if self.group is not None:
            self.group.kill()
        for group in {process.group for process in processes} - {os.getpgrp()}:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for process in processes:
            _send(process, signal.SIGKILL)

    def _noted(self) -> list[procfs.Process]:
        processes = self.processes()
        self._seen.update(process.pid for process in processes)
        return processes


def _send(process: procfs.Process, number: int) -> None:
    """Signal it, and not another one that has got its number since."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    # A kernel before 5.3, a sandbox that does not know the call, a Python that was built on either.
    except (OSError, AttributeError):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)
        return
    try:
        now = procfs.read(process.pid)
        if now is not None and now.began == process.began:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)
