"""Multi-row progress as docker compose draws it: up over all rows, then each row again."""

import sys
import time

SERVICES = ["nginx", "flask", "worker", "redis"]
DOTS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def row(name: str, step: int, end: int) -> str:
    if step >= end:
        return f" \x1b[32m✔\x1b[0m Container demo-{name}-1  \x1b[32mStarted\x1b[0m\x1b[K"
    spinner = f"\x1b[33m{DOTS[step % 10]}\x1b[0m"
    return f" {spinner} Container demo-{name}-1  Starting {step / 10:.1f}s\x1b[K"


out = sys.stdout
out.write("\x1b[?25l")
for step in range(12):
    if step:
        out.write(f"\x1b[{len(SERVICES) + 1}A")
    done = sum(step >= 3 * (i + 1) for i in range(len(SERVICES)))
    out.write(f"\x1b[1m[+] Running {done}/{len(SERVICES)}\x1b[0m\x1b[K\n")
    for i, name in enumerate(SERVICES):
        out.write(row(name, step, 3 * (i + 1)) + "\n")
    out.flush()
    time.sleep(0.01)
out.write("\x1b[?25h")
