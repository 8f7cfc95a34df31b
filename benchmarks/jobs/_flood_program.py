"""The flood as a program of its own, line-buffered: what the references run."""

import sys

sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
line = "x" * 79
for _ in range(int(sys.argv[1])):
    print(line)
