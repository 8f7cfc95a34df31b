"""Files that clients send for runs: taken in, given to one run each, and gone after it."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flask_realtime import host
from flask_realtime.errors import (
    BadParameters,
    TooManyUploads,
    UnknownUpload,
    UploadFailed,
    UploadTooLarge,
)
from flask_realtime.parameters import Upload, UploadId
from flask_realtime.uploads.uploadfolder import IncomingFile, Stored, UploadFolder, safe_name

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

MIB = 1 << 20
CHUNK_BYTES = 256 << 10  # that are read and written at a time
UNCLAIMED_SECONDS = 3600.0
SWEEP_SECONDS = 60.0
MOST_WAITING = 20  # of one user that come in or wait for a run, at this process
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_GONE = (
    "there is no upload {!r} of yours: one that no run was started with is removed after an hour, "
    "and when the server starts"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """The files of a run by parameter: where they are, and what the record shows of them."""

    paths: Mapping[str, Path]
    shown: Mapping[str, dict[str, Any]]


class Uploads:
    """For greenlets of the hub's thread; the disk is touched in native threads.

    `folder` is made when the first file comes; None: none is taken. A file is its user's, and
    can be claimed at any process that shares the folder.
    """

    def __init__(self, folder: Path | None, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = UploadFolder(folder) if folder is not None else None
        self._coming: list[str] = []  # users, of what comes in
        self._waiting: dict[str, str] = {}  # id → user, of what is unclaimed here
        self._claimed: set[str] = set()  # runs that have files
        self._sweeping: host.Task | None = None

    def start(self) -> None:
        """Remove what servers that died have left, now and from time to time."""
        if self._folder is not None:
            self._sweeping = host.spawn(self._sweep_for_ever, self._folder)

    def stop(self) -> None:
        """Remove all files of this process. Runs have ended before."""
        if self._folder is not None and self._sweeping is not None:
            self._sweeping.kill()
            self._sweeping = None
            self._waiting.clear()
            self._claimed.clear()
            host.offload(self._folder.close)

    # Clients

    def receive(self, user: str, name: str, read: Callable[[int], bytes]) -> Stored:
        """Store what `read(size)` returns until it returns nothing; constant memory.

        Raises UploadTooLarge, TooManyUploads, UploadFailed, and what `read` raises: nothing is
        left then.
        """
        folder = self._open_folder()
        if self._count(user) >= MOST_WAITING:
            self._forget_what_is_gone(folder)
        if self._count(user) >= MOST_WAITING:
            raise TooManyUploads(
                f"{MOST_WAITING} files of yours have been uploaded and not used, which is the "
                "limit: start runs with them, remove some, or wait an hour"
            )
        upload, size = secrets.token_hex(16), 0
        incoming = IncomingFile(folder, upload, safe_name(name))
        self._coming.append(user)
        try:
            _on_disk(incoming.write, b"")
            while data := read(CHUNK_BYTES):
                size += len(data)
                self.check_size(size)
                _on_disk(incoming.write, data)
            stored = _on_disk(incoming.finish, user)
        except BaseException:
            _on_disk(incoming.discard)
            raise
        finally:
            self._coming.remove(user)
        self._waiting[upload] = user
        return stored

    def check_size(self, size: int) -> None:
        """Raises UploadTooLarge if files of `size` bytes are not taken."""
        if size > self.max_bytes:
            raise UploadTooLarge(
                f"an upload has at most {self.max_bytes / MIB:g} MiB here (MAX_UPLOAD_MIB)"
            )

    def delete(self, user: str, upload: str) -> None:
        """Remove a file that no run has claimed. Raises UnknownUpload."""
        folder = self._open_folder()
        found = _on_disk(folder.find, upload) if UploadId.pattern.fullmatch(upload) else None
        if found is None or found.user != user or not _on_disk(folder.remove, upload):
            raise UnknownUpload(_GONE.format(upload[:64]))
        self._waiting.pop(upload, None)

    # Runs

    def claim(
        self,
        run: str,
        user: str,
        wanted: Mapping[str, Upload],
        bound: Mapping[str, object],
        *,
        shared: bool = False,
    ) -> Claimed:
        """Give `run` the files whose ids stand in `bound`, all or none. Raises BadParameters.

        `shared`: another process may run it, and this one may end before.
        """
        ids = {name: each for name in wanted if isinstance(each := bound[name], UploadId)}
        found = {name: self._find(user, upload) for name, upload in ids.items()}
        faults = [
            f"{name}: {fault}"
            for name, each in found.items()
            if (fault := each if isinstance(each, str) else _fault_of(each, wanted[name]))
        ]
        if len(set(ids.values())) < len(ids):
            faults.append("an upload is for one parameter: upload the file for each")
        if faults:
            raise BadParameters("; ".join(faults))
        files = {name: each for name, each in found.items() if isinstance(each, Stored)}
        paths: dict[str, Path] = {}
        if files:
            self._claimed.add(run)
        for name, file in files.items():
            path = _on_disk(self._open_folder().claim, file.id, run, shared)
            if path is None:  # another start was quicker
                self.give_back(run, user)
                raise BadParameters(f"{name}: {_GONE.format(file.id)}")
            self._waiting.pop(file.id, None)
            paths[name] = path
        return Claimed(
            paths, {name: {"name": each.name, "bytes": each.bytes} for name, each in files.items()}
        )

    def give_back(self, run: str, user: str) -> None:
        """Let the files of `run` be claimed again: it does not begin after all."""
        if run in self._claimed:
            self._claimed.remove(run)
            for upload in _on_disk(self._open_folder().give_back, run):
                self._waiting[upload] = user

    def adopt(self, run: str) -> None:
        """`run`, which may have files, ends here."""
        if self._folder is not None:
            self._claimed.add(run)

    def release(self, run: str) -> None:
        """Remove the files of `run`, which has ended."""
        if run in self._claimed:
            self._claimed.remove(run)
            try:
                host.offload(self._open_folder().release, run)
            except OSError as error:  # the next start of a server removes them
                logger.warning("files of run %s are left: %s", run, error)

    def _find(self, user: str, upload: str) -> Stored | str:
        """The file, or why there is none."""
        found = _on_disk(self._open_folder().find, upload)
        if found is None or found.user != user:
            return _GONE.format(upload)
        if found.run is not None:
            return f"run {found.run} has this upload, and it is for one run: upload the file again"
        return found

    def _count(self, user: str) -> int:
        return [*self._coming, *self._waiting.values()].count(user)

    def _forget_what_is_gone(self, folder: UploadFolder) -> None:
        """It expired, or was claimed at another process."""
        known = set(self._waiting)
        for upload in known - _on_disk(folder.waiting):
            self._waiting.pop(upload, None)

    def _open_folder(self) -> UploadFolder:
        if self._folder is None:
            raise UploadFailed("this server has no folder for uploads: set UPLOADS_PATH")
        return self._folder

    def _sweep_for_ever(self, folder: UploadFolder) -> None:
        while True:
            try:
                _on_disk(folder.sweep, UNCLAIMED_SECONDS)
                self._forget_what_is_gone(folder)
            except UploadFailed:
                pass  # it is in the log, and tried again
            host.sleep(SWEEP_SECONDS)


def _fault_of(file: Stored, bound: Upload) -> str:
    if file.bytes <= bound.max_bytes:
        return ""
    return f"{file.name!r} has {file.bytes:,} bytes, and may have {bound.max_bytes:,} at most"


def _on_disk(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a native thread. Raises UploadFailed if the disk does not do it."""
    try:
        return host.offload(function, *args, **kwargs)
    except OSError as error:
        logger.warning("uploaded files cannot be stored or removed: %s", error)
        said = "there is no room left" if error.errno in _NO_ROOM else "the server's log says why"
        raise UploadFailed(f"the server's disk failed: {said}") from error
