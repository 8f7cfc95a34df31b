"""One bar, with a message printed above it."""

import time

from tqdm import tqdm

for step in tqdm(range(40), desc="reading", mininterval=0):
    if step % 15 == 7:
        tqdm.write(f"file {step} does not parse")
    time.sleep(0.005)
