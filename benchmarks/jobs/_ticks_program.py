"""The ticks as a program of its own."""

import sys
import time

rate, seconds = 200, int(sys.argv[1])
begin = time.monotonic()
for number in range(rate * seconds):
    wait = begin + number / rate - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    print(time.monotonic_ns(), flush=True)
time.sleep(0.3)
