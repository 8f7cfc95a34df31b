"""Takes a backup of Redis and of an archive in a folder, and puts it back: docs/operations.md.

    python tools/backup.py take /backup --redis redis://localhost:6379/0 --archive instance/archive
    python tools/backup.py restore /backup --redis-data new/redis --archive new/archive

Redis' programs have to be there: redis-cli to take one, redis-server to put it back. The password
of Redis is read from REDISCLI_AUTH, as redis-cli does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SNAPSHOT = "redis.rdb"
ARCHIVE = "archive"
PARTIAL = ".part"
LOAD_SECONDS = 3600.0  # that a Redis may take to read a snapshot


class Failed(Exception):
    """It cannot be done; the message says why, for people."""


def take(folder: Path, redis: str, archive: Path | None, options: Sequence[str]) -> None:
    """Bring the backup in `folder` up to date; whatever stops it, the one before is left.

    Redis comes first: a segment is written before Redis names it, so all that this snapshot names
    is in the archive afterwards, but for what retention removes meanwhile.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / (SNAPSHOT + PARTIAL)
    address = ["-s", redis.removeprefix("unix://")] if redis.startswith("unix:") else ["-u", redis]
    _call("redis-cli", *address, "--no-auth-warning", *options, "--rdb", str(partial))
    with partial.open("rb") as file:
        if file.read(5) != b"REDIS":
            raise Failed(f"redis-cli gave no snapshot of {_without_password(redis)}")
        os.fsync(file.fileno())
    if archive is not None:
        copied, removed = follow(archive, folder / ARCHIVE)
        print(f"archive: {copied} files copied, {removed} removed")
    os.replace(partial, folder / SNAPSHOT)
    print(f"redis: {(folder / SNAPSHOT).stat().st_size} bytes")


def follow(source: Path, target: Path) -> tuple[int, int]:
    """Make `target` hold the files of `source`; return how many were copied and removed.

    A file of the archive never changes once it is there, so one that is there already is right.
    """
    if not source.is_dir():
        raise Failed(f"there is no archive in {source}")
    there = set(_files(source))
    had = set(_files(target)) if target.exists() else set()
    copied = 0
    for name in sorted(there - had):
        place = target / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = place.with_name(place.name + PARTIAL)
        try:
            shutil.copyfile(source / name, partial)
        except FileNotFoundError:  # retention has just removed it
            partial.unlink(missing_ok=True)
            continue
        os.replace(partial, place)
        copied += 1
    gone = had - there
    for name in gone:
        (target / name).unlink()
    return copied, len(gone)


def _files(folder: Path) -> Iterator[str]:
    """The files of an archive by their paths in it; those that are being written are none."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith("probe-") and path.suffix != PARTIAL:
            yield path.relative_to(folder).as_posix()


def restore(folder: Path, redis_data: Path, archive: Path | None, program: str) -> None:
    """Put a backup into folders that are empty, or not there yet."""
    snapshot = folder / SNAPSHOT
    if not snapshot.exists():
        raise Failed(f"there is no backup in {folder}: {SNAPSHOT} is missing")
    for target in (redis_data, archive):
        if target is not None and target.exists() and any(target.iterdir()):
            raise Failed(f"{target} is not empty: a backup is put into an empty folder only")
    if archive is not None:
        if not (folder / ARCHIVE).is_dir():
            raise Failed(f"the backup in {folder} has no archive: leave out --archive")
        print(f"archive: {follow(folder / ARCHIVE, archive)[0]} files")
    redis_data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _append_only(snapshot, redis_data, program)
    print(f"redis: {redis_data}")


def _append_only(snapshot: Path, data: Path, program: str) -> None:
    """Make an append-only file of the snapshot: a Redis that keeps one reads no snapshot."""
    copy = data / SNAPSHOT
    # /tmp: the path of a Unix socket has to be short.
    with tempfile.TemporaryDirectory(prefix="restore-", dir="/tmp") as folder:
        address, log = f"{folder}/redis.sock", Path(folder, "log")
        command = [program, "--port", "0", "--unixsocket", address, "--dir", str(data)]
        command += ["--dbfilename", SNAPSHOT, "--save", "", "--appendonly", "no"]
        try:
            shutil.copyfile(snapshot, copy)
            _convert(command, ("redis-cli", "-s", address), log)
        finally:
            copy.unlink(missing_ok=True)


def _convert(command: Sequence[str], ask: Sequence[str], log: Path) -> None:
    """Start a Redis, which reads its snapshot, and let it write its append-only file."""
    try:
        with log.open("wb") as output:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
    except OSError as error:
        raise Failed(f"{command[0]} cannot be run: {error.strerror}") from error
    try:
        _until(lambda: _said(*ask, "ping") == "PONG", server, log)
        _call(*ask, "config", "set", "appendonly", "yes")
        _until(lambda: _is_written(_said(*ask, "info", "persistence")), server, log)
        _call(*ask, "shutdown", "nosave", wants_answer=False)
        server.wait(60)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def _is_written(persistence: str) -> bool:
    found = dict(line.split(":", 1) for line in persistence.splitlines() if ":" in line)
    if found.get("aof_last_bgrewrite_status", "ok") != "ok":
        raise Failed("Redis could not write its append-only file: is the disk full?")
    busy = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    return found.get("aof_enabled") == "1" and not any(found[name] == "1" for name in busy)


def _until(condition: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + LOAD_SECONDS
    while not condition():
        if server.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text("utf-8", "replace").splitlines()[-8:]
            raise Failed("\n".join(["Redis cannot read the snapshot; it says:", *lines]))
        time.sleep(0.1)


def _said(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return result.stdout.strip()


def _call(*command: str, wants_answer: bool = True) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise Failed(f"{command[0]} cannot be run: {error.strerror}") from error
    if result.returncode and wants_answer:
        said = (result.stderr.strip() or result.stdout.strip()).splitlines()
        raise Failed(f"{command[0]} failed: {said[-1] if said else result.returncode}")


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="What follows -- are options of redis-cli: --user, --tls, --cacert, ...",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    taking = commands.add_parser("take", help="bring the backup in a folder up to date")
    taking.add_argument("folder", type=Path)
    taking.add_argument("--redis", default="redis://localhost:6379/0", metavar="URL")
    taking.add_argument("--archive", type=Path, help="its folder; none for an object store")
    restoring = commands.add_parser("restore", help="put it into empty folders")
    restoring.add_argument("folder", type=Path)
    restoring.add_argument("--redis-data", type=Path, required=True)
    restoring.add_argument("--archive", type=Path)
    restoring.add_argument("--redis-server", default="redis-server", metavar="PROGRAM")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given = parser.parse_args(sys.argv[1:end])
    try:
        if given.command == "take":
            take(given.folder, given.redis, given.archive, sys.argv[end + 1 :])
        else:
            restore(given.folder, given.redis_data, given.archive, given.redis_server)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
