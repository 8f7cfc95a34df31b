"""What the fault tests saw, as docs/faults.md has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.loggedprocess import ROOT

BY_DEFAULT = ROOT / "build" / "faults.md"

HEAD = """# Faults

Written by `tests/faults`, of what it saw; `make soak` writes it anew.

{runs} runs and {viewers} viewers on {nodes} web nodes behind nginx, {workers} workers of Celery
and one Redis, each part a process of its own. The runs print numbered lines with checksums, in
threads and in processes, at nodes and at workers; two of them flood. The viewers hold every byte
against what the run must have printed, through nginx, on WebSockets. Each fault strikes while all
that goes on.

"Right" is: each node tells the right state of every run, and so was each viewer told; each viewer
of a run that goes on gets more of it; each viewer of a run that has ended has all of its output,
and that is no less than what Redis had acknowledged before the fault. The seconds count from the
moment at which that could begin: the end of an outage, the death of a process. At most
{limit:.0f} are allowed. After each fault, processes, descriptors and memory are back where they
were: processes exactly, descriptors but for {descriptors} in all (connections that pools keep),
memory of each part but for {mib} MiB.

| fault | runs that ended by it | seconds until right | MiB checked |
|---|---|---|---|
"""

TAIL = """
{total:.1f} MiB were checked by the viewers in all, byte by byte; none was lost, repeated or wrong.

## How they are made

- **Killed**: SIGKILL. nginx and a worker with their children, as when a machine ends; of the
  others, the one process.
- **Redis paused, a worker hangs**: SIGSTOP, then SIGCONT. What was lost with the worker that hung
  goes on when it wakes, unless it was begun anew elsewhere.
- **Network cut**: Redis has a network namespace of its own, and each node a cable (veth) to it.
  The far end is taken down: packets vanish, and nobody is told.
- **Disk full**: the archive and Redis each have a small tmpfs in a mount namespace of their own,
  which is filled to the last byte.
- **Clock of a web node**: libfaketime moves the wall clock of that process; the monotonic one
  stays, as on a real machine.
- **Clock of Redis**: it does not start under libfaketime. All keys that last for less than an
  hour are removed at one blow, which is what such a jump does.
- **Forks and vanishes**: the job forks twice, into a session of its own, and ends; its grandchild
  is ended with it.

This needs root on Linux, nginx, redis-server and libfaketime (`tools/install_test_system.sh`).
"""


@dataclass
class Report:
    runs: int
    viewers: int
    nodes: int
    workers: int
    limit: float
    descriptors: int
    mib: int
    rows: dict[str, list[tuple[str, float, int]]] = field(default_factory=dict)

    def add(self, fault: str, states: dict[str, int], seconds: float, checked: int) -> None:
        """`states`: of the runs that ended by it; `checked`: bytes, in its round."""
        ended = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        self.rows.setdefault(fault, []).append((ended or "none", seconds, checked))

    def write(self, path: Path, total: int) -> None:
        """`total`: bytes that the viewers have checked."""
        lines = [HEAD.format(**vars(self))]
        for fault, seen in self.rows.items():
            took = [seconds for _, seconds, _ in seen]
            shown = f"{max(took):.1f}"
            if len(seen) > 1:
                shown = f"{min(took):.1f} to {max(took):.1f}, {len(seen)} times"
            checked = sum(number for _, _, number in seen) / (1 << 20)
            lines.append(f"| {fault} | {seen[-1][0]} | {shown} | {checked:.1f} |\n")
        lines.append(TAIL.format(total=total / (1 << 20)))
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(lines), "utf-8")
