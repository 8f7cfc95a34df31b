"""Native threads share a few of malloc's arenas."""

from __future__ import annotations

import platform
import subprocess
import sys

from flask_realtime.allocator import ARENAS, bound_arenas

# Prints how many heaps malloc has once 16 threads were in use at the same time.
PROGRAM = """
import ctypes, re, sys, tempfile, threading
from flask_realtime.allocator import bound_arenas
if sys.argv[1] == "bound":
    assert bound_arenas()
together = threading.Barrier(16)
def work():
    together.wait()
    held = [bytearray(100_000) for _ in range(50)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(len(re.findall(rb"<heap nr=", file.read())))
"""


def heaps(how: str) -> int:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


def test_threads_share_a_few_arenas() -> None:
    if platform.libc_ver()[0] == "glibc":
        assert heaps("bound") <= ARENAS < heaps("as it is")
    else:
        assert not bound_arenas()
