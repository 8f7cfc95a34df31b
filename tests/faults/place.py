"""Where a fleet runs: a network and mounts of its own, so that a cable can be cut and a disk full.

A process that does nothing holds the two namespaces. Redis runs in its network, and each node has
a cable of its own to it (a pair of virtual network devices). All run with its mounts: two small
disks in memory. When the process ends, and it does so with whoever started it, all that is gone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

DISK_MIB = 160  # more than twice what Redis lets its append-only file grow to before it rewrites it
FREE_BYTES = 4096
CABLES = 8  # at most; each is a network of four addresses out of 198.18.0.0/15 (RFC 2544)


def why_not() -> str:
    """Why there can be no such place here; empty if there can."""
    command = ["unshare", "--net", "--mount", "--propagation", "private", "true"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr.strip()
    except FileNotFoundError as error:
        return str(error)


class Place:
    def __init__(self, folder: Path) -> None:
        self.archive = folder / "archive"
        self.redis = folder / "redis"
        for disk in (self.archive, self.redis):
            disk.mkdir()
        unshare = shutil.which("unshare")
        assert unshare is not None
        command = [unshare, "--net", "--mount", "--propagation", "private"]
        self._holder = subprocess.Popen(
            [*command, "sh", "-c", "echo; read line"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        for disk in (self.archive, self.redis):
            options = f"size={DISK_MIB}m,mode=0700"
            _run(*self.inside(), "mount", "-t", "tmpfs", "-o", options, "none", str(disk))
        _run(*self.of_redis(), "ip", "link", "set", "lo", "up")

    def inside(self) -> list[str]:
        """What begins a command that shall see the disks."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--wd=."]

    def of_redis(self) -> list[str]:
        """... and stand where Redis is."""
        return [*self.inside(), f"--net=/proc/{self._holder.pid}/ns/net"]

    def lay_cable(self, number: int) -> str:
        """Connect this network with Redis'; return the address that Redis has at that end."""
        network = (os.getpid() * CABLES + number) % (1 << 15)
        near, far = (
            f"198.{18 + (network >> 14)}.{network >> 6 & 255}.{(network & 63) * 4 + end}"
            for end in (1, 2)
        )
        device, peer = self._cable(number), f"{self._cable(number)}r"
        _run("ip", "link", "add", device, "type", "veth", "peer", "name", peer)
        _run("ip", "link", "set", peer, "netns", str(self._holder.pid))
        _run("ip", "addr", "add", f"{near}/30", "dev", device)
        _run("ip", "link", "set", device, "up")
        _run(*self.of_redis(), "ip", "addr", "add", f"{far}/30", "dev", peer)
        self.mend(number)
        return far

    def cut(self, number: int) -> None:
        """Pull the cable out at the end of Redis: what is sent goes nowhere, and nobody is told."""
        _run(*self.of_redis(), "ip", "link", "set", f"{self._cable(number)}r", "down")

    def mend(self, number: int) -> None:
        _run(*self.of_redis(), "ip", "link", "set", f"{self._cable(number)}r", "up")

    def fill(self, disk: Path) -> None:
        """Leave next to nothing of `disk` free."""
        path = self._seen_from_here(disk) / "ballast"
        with path.open("wb", buffering=0) as file:
            for size in (1 << 20, FREE_BYTES):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self, disk: Path) -> None:
        (self._seen_from_here(disk) / "ballast").unlink()

    def close(self) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait(60)

    def _seen_from_here(self, disk: Path) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{disk}")

    @staticmethod
    def _cable(number: int) -> str:
        return f"fr{os.getpid()}c{number}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
