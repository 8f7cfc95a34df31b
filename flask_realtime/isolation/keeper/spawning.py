"""How the main process of a run is started."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import struct
import termios
from contextlib import suppress
from typing import NamedTuple

from flask_realtime.isolation.keeper import startfault
from flask_realtime.isolation.keeper.cgroup import Cgroup

NICE = 5  # the server goes first
OOM_SCORE = 500  # of 1000: when memory is short, the kernel ends the run and not the server
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None)


class StartFault(Exception):
    """It could not be started; `code` is the exit code that a shell would have."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Plan(NamedTuple):
    """`stdio` become descriptors 0, 1 and 2; `control`, if any, keeps its number."""

    argv: list[str]
    folder: str | None
    environ: dict[str, str]
    stdio: tuple[int, int, int]
    on_terminal: bool
    control: int | None
    cpu_seconds: float | None
    group: Cgroup | None


def become_subreaper() -> None:
    """Let all that descend from this process come to it when their parents end."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spawn(plan: Plan) -> int:
    """Start it in a session of its own; its pid. Raises StartFault."""
    said, say = os.pipe()  # closed by a program that runs; else it says why none does
    keeper = os.getpid()
    child = os.fork()
    if not child:
        step = b"c"
        try:
            _prepare(plan, keeper)
            if plan.folder is not None:
                step = b"f"
                os.chdir(plan.folder)
            step = b"c"
            os.execvpe(plan.argv[0], plan.argv, plan.environ)
        except OSError as error:
            os.write(say, step + struct.pack("i", error.errno or 0))
        finally:
            os._exit(startfault.NOT_FOUND)
    os.close(say)
    fault = os.read(said, 16)
    os.close(said)
    if not fault:
        return child
    os.waitpid(child, 0)
    (number,) = struct.unpack("i", fault[1:])
    if fault[:1] == b"f":
        raise StartFault(*startfault.explain_folder(number, plan.folder or ""))
    path = plan.environ.get("PATH", os.defpath)
    raise StartFault(*startfault.explain(number, plan.argv, plan.folder, path))


def _prepare(plan: Plan, keeper: int) -> None:
    """In the child: what it shall be, before it is that."""
    os.setsid()
    # It goes when the keeper goes, and then there is nobody to tell.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != keeper:
        os._exit(1)
    if plan.on_terminal:
        fcntl.ioctl(plan.stdio[0], termios.TIOCSCTTY, 0)
    for number, descriptor in enumerate(plan.stdio):
        os.dup2(descriptor, number)
    if plan.control is not None:
        os.set_inheritable(plan.control, True)
    os.nice(NICE)
    with suppress(OSError):  # a host may have set it, and not let it be raised
        _raise_oom_score()
    if plan.group is not None:
        with suppress(OSError):  # the group around it is not ours to leave
            plan.group.enter()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan.cpu_seconds is not None:
        _bound_cpu(plan.cpu_seconds)
    signal.set_wakeup_fd(-1)
    # Ours have handlers, Python ignores some, and who starts a server in the background others.
    for each in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _raise_oom_score() -> None:
    with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:
        if int(file.read()) < OOM_SCORE:
            file.write(b"%d" % OOM_SCORE)


def _bound_cpu(seconds: float) -> None:
    """The kernel's own bound of one process, above ours of all: it needs no look."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    bound = int(seconds) + 2
    if most == resource.RLIM_INFINITY or bound < most:
        resource.setrlimit(resource.RLIMIT_CPU, (bound, bound + 2))
