"""Takes memory until it gets no more, 16 MiB at a time."""

import time

taken = []
print("hungry", flush=True)
while True:
    taken.append(b"x" * (16 << 20))
    time.sleep(0.005)
