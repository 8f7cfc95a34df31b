"""Jobs in processes of their own that print from wherever a program can print."""

import asyncio
import ctypes
import os
import subprocess
import sys
import threading

from flask_realtime import job

from . import _shared


@job(isolation="process")
def from_everywhere(running):
    """Prints from Python, C, threads, children and grandchildren."""
    print("print", _shared.double(21))
    os.write(1, b"os.write\n")
    libc = ctypes.CDLL(None)
    libc.printf(b"printf\n")
    libc.fflush(None)
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    # In a session of its own, while the shell that started it has ended already.
    subprocess.run(["sh", "-c", "setsid echo grandchild &"], check=True)
    sys.stdin.readline()
    sys.stderr.write("stderr\n")


@job(isolation="process")
async def with_asyncio(running):
    """Runs tasks, threads and a child in an event loop."""

    async def task(number):
        await asyncio.sleep(0.01 * number)
        print("task", number)

    await asyncio.gather(*map(task, range(3)))
    await asyncio.to_thread(print, "to_thread")
    child = await asyncio.create_subprocess_exec("echo", "subprocess")
    await child.wait()
    raise LookupError("in the loop")


@job(isolation="process")
def with_multiprocessing(running, method: str):
    """Computes in other processes."""
    import multiprocessing

    with multiprocessing.get_context(method).Pool(2) as pool:
        print(pool.map(_shared.double, [1, 2, 3]))
        print(pool.map(halve, [2, 4]))


def halve(number):
    return number // 2
