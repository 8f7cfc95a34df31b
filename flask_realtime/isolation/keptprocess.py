"""A keeper as this process sees it: a child, a socket to it, and pipes with the run's output."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
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
        with ExitStack() as ours, ExitStack() as theirs:
            self.orders, their_orders = _socket_pair(ours, theirs)
            self.control, control = None, None
            if program.has_control:
                self.control, their_control = _socket_pair(ours, theirs)
                control = their_control.fileno()
            output, printing = _pipe(ours, theirs)
            self.outputs, errors = [output], None
            if program.terminal is None:
                output, errors = _pipe(ours, theirs)
                self.outputs.append(output)
            self.process = subprocess.Popen(
                # The run's id is for people, who look at a list of processes.
                [sys.executable, "-I", "-S", str(KEEPER), run],
                stdin=their_orders.fileno(),
                stdout=printing,
                env={},
                cwd="/",
                pass_fds=[number for number in (errors, control) if number is not None],
                start_new_session=True,  # Ctrl+C on the terminal is for this program
            )
            ours.pop_all()  # they stay open
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


def _socket_pair(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair()
    ours.callback(ends[0].close)
    theirs.callback(ends[1].close)
    return ends


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    ours.callback(os.close, read)
    theirs.callback(os.close, write)
    os.set_blocking(read, False)
    with suppress(OSError):  # the user has many large pipes already
        fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return read, write


def _having(mark: bytes) -> set[int]:
    """The processes with `mark` in their environment; what has ended has none."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return {pid for pid in pids if mark in procfs.content(f"/proc/{pid}/environ")}
