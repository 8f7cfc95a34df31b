"""Functions that tests run in processes of their own."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from flask_realtime import current_run, job, mask

Running = Callable[[], bool]


@job(isolation="process")
def greet(running: Running, name: str, times: int = 1) -> None:
    for _ in range(times):
        print(f"hello {name}")


@job(isolation="process")
def tells_its_run(running: Running) -> None:
    run = current_run()
    assert run is not None
    print(run.id, run.job, run.user, "flask" in sys.modules, "eventlet" in sys.modules)


@job(isolation="process")
def waits_for_stop(running: Running) -> None:
    print("here")
    while running():
        time.sleep(0.01)
    print("bye")


@job(isolation="process")
def ignores_stop(running: Running) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("here")
    while True:
        time.sleep(1)


@job(isolation="process")
def raises(running: Running) -> None:
    raise ValueError("no such luck")


@job(isolation="process")
def exits(running: Running) -> None:
    os._exit(9)


@job(isolation="process")
def lists_descriptors(running: Running) -> None:
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        if os.path.exists(f"/proc/self/fd/{name}"):
            print(name, os.readlink(f"/proc/self/fd/{name}"))
    sys.stdout.flush()
    subprocess.run(["sh", "-c", "echo child; ls /proc/self/fd"], check=True, close_fds=False)


@job(isolation="process")
def masks(running: Running) -> None:
    mask("open-sesame")
    print("the word is open-sesame")


@job(isolation="process")
def asks(running: Running) -> None:
    name = input("Name: ")
    password = getpass.getpass()
    print(name, len(password))


@job(isolation="process", terminal=False)
def asks_on_pipes(running: Running) -> None:
    print(input("Name: "))
    print(getpass.getpass())
    print(input("Again: "))
    try:
        getpass.getpass("PIN: ")
    except EOFError:
        print("no PIN")


@job(isolation="process")
def has_children(running: Running) -> None:
    children = [subprocess.Popen(["sleep", "1000"]) for _ in range(2)]
    print("here")
    while running():
        time.sleep(0.01)
    assert len(children) == 2


@job(isolation="process")
def computes_in_c(running: Running) -> None:
    """Holds the interpreter's lock."""
    print("here")
    sum(range(10**12))


@job(isolation="process")
def sleeps_in_c(running: Running) -> None:
    import ctypes

    print("here")
    print("ended with", ctypes.PyDLL(None).sleep(1000), "s left")  # it holds the lock


@job(isolation="process")
def tells_the_time(running: Running) -> None:
    print(time.time())


@job(isolation="process")
def is_slow_to_report(running: Running) -> None:
    """Sleeps; what it computes, it computes for its report."""
    from flask_realtime.isolation import ownthreads

    look = ownthreads.threads_of_process

    def compute_and_look(but: int) -> list[dict[str, object]]:
        end = time.thread_time() + 0.15
        while time.thread_time() < end:
            pass
        return look(but)

    ownthreads.threads_of_process = compute_and_look
    print("here")
    time.sleep(1000)
