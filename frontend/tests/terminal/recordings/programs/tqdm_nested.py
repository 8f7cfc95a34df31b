"""Bars inside a bar, some of which go away when they are full."""

import time

from tqdm import tqdm

for outer in tqdm(range(3), desc="épreuves ✓", mininterval=0, colour="green"):
    for _ in tqdm(range(4), desc=f"inner {outer}", leave=outer == 1, mininterval=0):
        for _ in tqdm(range(2), desc="細かい", leave=False, mininterval=0):
            time.sleep(0.002)
