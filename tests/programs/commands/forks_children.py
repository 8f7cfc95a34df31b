"""Forks children that sleep, each in a group of its own, and waits for all of them."""

import os
import signal
import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
for _ in range(count):
    if os.fork() == 0:
        os.setpgid(0, 0)
        signal.pause()
print(count, "children", flush=True)
while True:
    os.wait()
