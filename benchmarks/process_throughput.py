"""1,000,000 lines of a program on a terminal of its own, to a Socket.IO client elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import time

from benchmarks.parts import HERE, TIMEOUT, middle, program_server, view

LINES = 1_000_000
ROUNDS = 3
PROGRAM = str(HERE / "jobs" / "_flood_program.py")


def main() -> None:
    ours: list[float] = []
    counted: list[float] = []
    for _ in range(ROUNDS):
        with program_server({}) as running:
            seen = view(running.url, "count", "flood", lines=LINES)
            assert seen["bytes"] == 80 * LINES
            ours.append(LINES / seen["seconds"])
        counted.append(LINES / _through_a_terminal())
    print(f"  ours                    {middle(ours):>10,.0f} lines/s, every byte")
    print(f"  terminal | wc -l        {middle(counted):>10,.0f} lines/s")
    print(f"  ratio                   {middle(ours) / middle(counted):>10.2f}  (wanted: 0.7)")


def _through_a_terminal() -> float:
    """Seconds that the same program takes when its terminal is read into `wc -l`."""
    reading, writing = os.openpty()
    modes = termios.tcgetattr(writing)
    modes[1] &= ~termios.OPOST  # as ours: the kernel does not turn each line end into two bytes
    termios.tcsetattr(writing, termios.TCSANOW, modes)
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "LC_ALL": "C"}  # as a run has it
    begin = time.perf_counter()
    with subprocess.Popen(
        ["sh", "-c", "cat 2>/dev/null | wc -l"],  # cat: at its end a terminal gives wc an error
        stdin=reading,
        stdout=subprocess.PIPE,
        env=environ,
    ) as wc:
        program = subprocess.Popen(
            [sys.executable, PROGRAM, str(LINES)], stdin=writing, stdout=writing, env=environ
        )
        os.close(writing)
        os.close(reading)
        output, _ = wc.communicate(timeout=TIMEOUT)  # it ends when nobody has the terminal open
        program.wait()
    seconds = time.perf_counter() - begin
    assert int(output) == LINES, output
    return seconds
