"""Uploaded files on disk, and what becomes of them when their server dies. It blocks; no hub.

Each server process has a folder of its own below the one for all, and holds a lock on it: what
nobody holds any more was left by one that died. In it a file passes through three folders, each
step one rename, so that of several processes that want it only one gets it: ``new-<id>`` while it
comes in, ``up-<id>`` until a run claims it, ``run-<run>-<id>`` until that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import stat
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LONGEST_NAME = 200  # bytes of UTF-8; file systems take 255
_LONGEST_SUFFIX = 20
_OWN = re.compile(r"server-[0-9a-f]{32}")
_SHARED = "runs"  # the folder of files whose runs may be any process's
_MAKING = "making-"  # the own folder until it is locked
_ABOUT = "about.json"
_FILE = "file"  # the folder of the file itself, whose name may be anything


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that has come in whole; `run` is the one that has claimed it here."""

    id: str
    user: str
    name: str
    bytes: int
    run: str | None = None


class UploadFolder:
    """The files below `base`, those of this process and of others. For any thread."""

    def __init__(self, base: Path) -> None:
        self._base = base.absolute()  # a job may run in another folder
        self._own: Path | None = None
        self._lock: BinaryIO | None = None
        self._closed = False
        self._opening = threading.Lock()  # held while the own folder is made or removed

    def own(self) -> Path:
        """The folder of this process; made when it is first wanted. Raises OSError."""
        with self._opening:
            if self._closed:
                raise FileNotFoundError("the server is being stopped")
            if self._own is None:
                self._base.mkdir(0o700, parents=True, exist_ok=True)
                own = self._base / f"server-{secrets.token_hex(16)}"
                # Another process must not find it before it is locked.
                making = own.with_name(f"{_MAKING}{own.name}")
                making.mkdir(0o700)
                lock = open(making / "lock", "xb", opener=_private)  # noqa: SIM115
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    os.rename(making, own)
                except BaseException:
                    lock.close()
                    raise
                self._own, self._lock = own, lock
            return self._own

    def remove(self, upload: str) -> bool:
        """Remove a file that no run has claimed; whether there was one. Raises OSError."""
        return any(_remove(folder) for folder in self._folders(f"up-{upload}"))

    # For runs

    def find(self, upload: str) -> Stored | None:
        """The file of that id, unless it is gone, or was claimed at another process."""
        own = self._own.glob(f"run-*-{upload}") if self._own is not None else ()
        for folder in (*self._folders(f"up-{upload}"), *own):
            with suppress(FileNotFoundError):  # it has just been claimed, or removed
                about = json.loads((folder / _ABOUT).read_text("utf-8"))
                run = folder.name.split("-")[1] if folder.name.startswith("run-") else None
                return Stored(upload, about["user"], about["name"], about["bytes"], run)
        return None

    def waiting(self) -> set[str]:
        """The ids of what is unclaimed here."""
        names = os.listdir(self._own) if self._own is not None else []
        return {name.partition("-")[2] for name in names if name.startswith("up-")}

    def claim(self, upload: str, run: str, shared: bool = False) -> Path | None:
        """Keep a file for `run`, and return where it is; None if there is none any more.

        `shared`: it stays when this process ends, until some process releases the run.
        """
        for folder in self._folders(f"up-{upload}"):
            with suppress(FileNotFoundError):
                kept = (self._shared() if shared else self.own()) / f"run-{run}-{upload}"
                os.rename(folder, kept)
                return next((kept / _FILE).iterdir())
        return None

    def give_back(self, run: str) -> list[str]:
        """Let the files of `run` be claimed again; return their ids. Raises OSError."""
        ids = []
        for folder in self._of_run(run):
            upload = folder.name.rpartition("-")[2]
            os.rename(folder, self.own() / f"up-{upload}")
            ids.append(upload)
        return ids

    def release(self, run: str) -> None:
        """Remove the files of `run`. Raises OSError."""
        for folder in self._of_run(run):
            shutil.rmtree(folder)

    # Cleaning up

    def sweep(self, seconds: float) -> None:
        """Remove what is left of processes that died, and what was not claimed for `seconds`.

        Raises OSError.
        """
        for folder in self._servers():
            if folder != self._own and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        oldest = time.time() - seconds
        unclaimed = self._own.glob("up-*") if self._own is not None else ()
        for folder in (*unclaimed, *self._base.glob(f"{_MAKING}*")):
            with suppress(FileNotFoundError):  # it is being claimed
                if folder.stat().st_mtime < oldest:
                    _remove(folder)

    def close(self) -> None:
        """Remove all that is here. Raises OSError."""
        with self._opening:
            own, lock = self._own, self._lock
            self._own = self._lock = None
            self._closed = True
            if own is not None and lock is not None:
                try:
                    shutil.rmtree(own, ignore_errors=True)
                finally:
                    lock.close()

    def _servers(self) -> Iterator[Path]:
        """The folders of this process and of others; nothing else that may be in `base`."""
        with suppress(FileNotFoundError), os.scandir(self._base) as entries:
            for entry in entries:
                if _OWN.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield Path(entry.path)

    def _folders(self, name: str) -> Iterator[Path]:
        yield from (folder / name for folder in self._servers() if (folder / name).is_dir())

    def _shared(self) -> Path:
        shared = self._base / _SHARED
        shared.mkdir(0o700, exist_ok=True)
        return shared

    def _of_run(self, run: str) -> list[Path]:
        folders = [self._base / _SHARED] if self._own is None else [self._own, self._base / _SHARED]
        return [kept for folder in folders for kept in folder.glob(f"run-{run}-*")]


class IncomingFile:
    """A file on its way into `folder`. For any thread: who discards it waits for who writes."""

    def __init__(self, folder: UploadFolder, upload: str, name: str) -> None:
        self._folder = folder
        self._upload = upload
        self._name = name
        self._new: Path | None = None
        self._file: BinaryIO | None = None
        self._discarded = False
        self._lock = threading.Lock()  # held while its files are touched

    def write(self, data: bytes) -> None:
        """Append; the first call makes the file. Raises OSError."""
        with self._lock:
            if self._discarded:
                return
            if self._new is None:
                self._new = self._folder.own() / f"new-{self._upload}"
                self._new.mkdir(0o700)
                (self._new / _FILE).mkdir(0o700)
                self._file = open(self._new / _FILE / self._name, "xb", opener=_private)  # noqa: SIM115
            assert self._file is not None
            self._file.write(data)

    def finish(self, user: str) -> Stored:
        """All was written, and can be claimed from now on. Raises OSError."""
        with self._lock:
            assert self._new is not None
            assert self._file is not None
            size = self._file.tell()
            self._file.close()
            about = json.dumps({"user": user, "name": self._name, "bytes": size})
            with open(self._new / _ABOUT, "x", encoding="utf-8", opener=_private) as file:
                file.write(about)
            os.rename(self._new, self._new.with_name(f"up-{self._upload}"))
            return Stored(self._upload, user, self._name, size)

    def discard(self) -> None:
        """Remove what has come in. Raises OSError."""
        with self._lock:
            self._discarded = True
            if self._file is not None:
                with suppress(OSError):  # what it still held does not fit on the disk
                    self._file.close()
            if self._new is not None and self._new.exists():
                shutil.rmtree(self._new)


def safe_name(name: str) -> str:
    """`name` as one that is a file's everywhere: no folder, nothing hidden, nothing invisible."""
    last = re.split(r"[/\\]", name)[-1].strip().rstrip(". ")
    visible = "".join(_visible(each) for each in last)
    if visible[:1] in (".", "-"):
        visible = "_" + visible
    stem, dot, suffix = visible.rpartition(".")
    if not dot or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = visible, ""
    room = LONGEST_NAME - len((dot + suffix).encode()) if suffix else LONGEST_NAME
    cut = stem.encode()[:room].decode("utf-8", "ignore")
    return (f"{cut}.{suffix}" if suffix else cut.rstrip(". ")) or "upload"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    return "_" if category[0] == "C" or category in ("Zl", "Zp") else character


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)


def _remove(folder: Path) -> bool:
    """Remove an unclaimed file, unless somebody has just got it."""
    gone = folder.with_name(f"gone-{folder.name}")
    try:
        os.rename(folder, gone)
    except FileNotFoundError:
        return False
    shutil.rmtree(gone)
    return True


def _is_abandoned(folder: Path) -> bool:
    """Whether the process has ended whose folder it is."""
    try:
        with open(folder / "lock", "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True  # it died while it removed the folder
    except OSError:
        return False
    return True
