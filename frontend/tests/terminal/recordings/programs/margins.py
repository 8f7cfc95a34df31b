"""A bar at the bottom of the screen below a scroll region, as apt draws it."""

import shutil
import sys

rows = shutil.get_terminal_size().lines
out = sys.stdout
out.write(f"\n\x1b7\x1b[0;{rows - 1}r\x1b8\x1b[1A")
for step in range(40):
    out.write(f"Unpacking package-{step} (1.{step}) ...\n")
    if step % 4 == 0:
        bar = "#" * (step // 2)
        label = f"\x1b[42m\x1b[30mProgress: [{step * 100 // 40:3}%]\x1b[49m\x1b[39m"
        out.write(f"\x1b7\x1b[{rows};0f{label} [{bar:.<20}] \x1b8")
out.write(f"\x1b7\x1b[0;{rows}r\x1b8\x1b[1A\x1b[J")
