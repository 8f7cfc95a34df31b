"""Leaves a daemon behind, in a session of its own, that ignores SIGTERM; prints its pid."""

import os
import signal
import sys

reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.write(writer, str(os.getpid()).encode())
        while True:
            signal.pause()
    os._exit(0)
os.wait()
print("daemon", os.read(reader, 20).decode(), flush=True)
if sys.argv[1:] == ["stay"]:
    signal.pause()
