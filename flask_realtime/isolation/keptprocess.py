"""A keeper as this process sees it: a child, a socket to it, and pipes with the run's output."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from flask_realtime.currentrun import RUN_VARIABLE
from flask_realtime.isolation.box import Processes
from flask_realtime.isolation.keeper import messages, procfs
from flask_realtime.isolation.keeper.cgroup import Cgroup
from flask_realtime.isolation.program import Program

KEEPER = Path(__file__).parent / "keeper" / "__main__.py"
PIPE_BYTES = 1 << 20  # of a pipe with output: few and large pieces for the hub
STRAYS_SECONDS = 5.0
END_SECONDS = 10.0  # that a keeper which has closed its socket takes to end, at most


class KeptProcess:
    """Blocks for some milliseconds: make it in a native thread. Raises OSError.

    `outputs` are stdout, and stderr unless that is on the same terminal; `orders` is the socket to
    the keeper, `control` that to the child, if the program has one.
    """

    def __init__(self, run: str, program: Program) -> None:
        self._run = run
        pairs = [socket.socketpair() for _ in range(1 + program.has_control)]
        pipes = [os.pipe() for _ in range(1 if program.terminal else 2)]
        theirs = [write for _, write in pipes]
        control = pairs[1][1].fileno() if program.has_control else None
        errors = theirs[1] if len(theirs) > 1 else None
        passed = [number for number in (errors, control) if number is not None]
        try:
            self.process = subprocess.Popen(
                # The run's id is for people, who look at a list of processes.
                [sys.executable, "-I", "-S", str(KEEPER), run],
                stdin=pairs[0][1].fileno(),
                stdout=theirs[0],
                env={},
                cwd="/",
                pass_fds=passed,
                start_new_session=True,  # Ctrl+C on the terminal is for this program
            )
        except OSError:
            for ours, _ in pairs:
                ours.close()
            for read, _ in pipes:
                os.close(read)
            raise
        finally:
            for _, their in pairs:
                their.close()
            for write in theirs:
                os.close(write)
        self.outputs = [read for read, _ in pipes]
        for read in self.outputs:
            os.set_blocking(read, False)
            with suppress(OSError):  # the user has many large pipes already
                fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.orders = pairs[0][0]
        self.control = pairs[1][0] if program.has_control else None
        setup = program.setup(errors=errors, control=control)
        with suppress(ConnectionError):  # it has ended already: who reads hears of it
            self.orders.sendall(messages.encode(setup))

    def wait(self) -> int:
        """Wait for the keeper, which has closed its socket; its exit code. Blocks."""
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:  # it hangs in the kernel, or somebody has stopped it
            self.process.kill()
            return self.process.wait()

    def end_strays(self, group: str | None) -> Processes:
        """End what a keeper has left that was killed itself: all that has the run's mark. Blocks.

        `group` is the folder of its control group. Without one, a process that has cleared its
        environment is not found.
        """
        if group is not None:
            Cgroup(group).kill()
        mark = f"{RUN_VARIABLE}={self._run}\0".encode()
        seen: set[int] = set()
        give_up_at = time.monotonic() + STRAYS_SECONDS
        while (left := _having(mark)) and time.monotonic() < give_up_at:
            seen |= left
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        if group is not None:
            Cgroup(group).remove(STRAYS_SECONDS)
        return Processes(len(seen - left), len(left))


def _having(mark: bytes) -> set[int]:
    """The processes with `mark` in their environment; what has ended has none."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return {pid for pid in pids if mark in procfs.content(f"/proc/{pid}/environ")}
