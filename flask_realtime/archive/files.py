"""The archive's files, in a folder or wherever else fsspec reaches. Blocks: for native threads."""

from __future__ import annotations

import errno
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]

from flask_realtime.errors import ConfigurationError
from flask_realtime.store.redischeck import without_password

logger = logging.getLogger(__name__)

MARKER = "flask-realtime-archive"
MARKER_TEXT = b"Output of runs: one folder a run, docs/archive.md says what is in it.\n"
PROBE_BYTES = 1 << 20  # about what a segment takes: there must be room for that
CONNECT_SECONDS = 5  # that an object store may take; s3fs waits for minutes by itself
ANSWER_SECONDS = 15


def default_url(instance_path: Path | str) -> str:
    """The archive of those who name none: a folder of this machine."""
    return f"file://{Path(instance_path).absolute() / 'archive'}"  # fsspec decodes no %20


def check_url(url: str) -> None:
    """Raise ConfigurationError unless there is a file system for `url`. Connects to nothing."""
    protocol = url.partition("://")[0].rpartition("::")[2]
    try:
        if "://" not in url:
            raise ValueError("it has no protocol")
        fsspec.get_filesystem_class(protocol)
    except ValueError as error:
        raise ConfigurationError(
            f"ARCHIVE_URL: {without_password(url)!r} is wrong: expected an address that fsspec "
            f"knows, such as file:///var/lib/archive or s3://bucket/path ({error})"
        ) from error
    except ImportError as error:
        raise ConfigurationError(
            f"ARCHIVE_URL: {protocol}:// needs a package that is not installed: {error}"
        ) from error


class ArchiveFiles:
    """Files by run and name. Nothing connects before the first call.

    Whatever the file system raises comes through; FileNotFoundError from `read` means that this
    file is missing while the archive is there.
    """

    def __init__(self, url: str) -> None:
        self.name = without_password(url)  # for people
        self._url = url
        self._fs: Any = None
        self._root = ""
        self._local = False

    def _open(self) -> Any:
        if self._fs is None:
            options: dict[str, Any] = {}
            if self._url.startswith("s3://"):
                options["config_kwargs"] = {
                    "connect_timeout": CONNECT_SECONDS,
                    "read_timeout": ANSWER_SECONDS,
                    "retries": {"max_attempts": 2},
                }
            fs, root = fsspec.url_to_fs(self._url, use_listings_cache=False, **options)
            self._root = str(root).rstrip("/")
            self._local = "file" in (
                (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
            )
            if getattr(fs, "async_impl", False):
                fs.loop.call_soon_threadsafe(fs.loop.set_exception_handler, _say_in_one_line)
            self._fs = fs
        return self._fs

    def write(self, run: str, name: str, data: bytes) -> None:
        """Make a new file; it outlives a crash of the machine once this has returned."""
        fs = self._open()
        path = self._path(run, name)
        if self._local:
            _write_durably(Path(path), data)
        else:
            fs.pipe_file(path, data)

    def read(self, run: str, name: str) -> bytes:
        fs = self._open()
        try:
            return bytes(fs.cat_file(self._path(run, name)))
        except FileNotFoundError:
            self.check_reading()
            raise

    def remove(self, run: str, name: str) -> None:
        """Remove one file, if it is there, and its folder if it was the last one in it."""
        fs = self._open()
        with suppress(FileNotFoundError):
            fs.rm_file(self._path(run, name))
        if self._local and run:
            with suppress(OSError):  # it is not empty
                os.rmdir(self._path(run))

    def remove_run(self, run: str) -> None:
        """Remove all files of a run, those too that no manifest names."""
        fs = self._open()
        fs.invalidate_cache()
        while True:
            try:
                fs.rm(self._path(run), recursive=True)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:  # somebody is writing there; it is the last one
                    raise
            else:
                return

    def check_reading(self) -> None:
        """Read the marker. A volume that is not mounted lacks it as it lacks everything."""
        fs = self._open()
        try:
            fs.cat_file(self._path("", MARKER))
        except FileNotFoundError as error:
            raise NotMounted(
                f"{MARKER} is missing: is the volume mounted? If you emptied it on purpose, "
                "restart the server"
            ) from error

    def check_writing(self) -> None:
        """Write as much as a segment takes, and remove it again."""
        name = f"probe-{secrets.token_hex(6)}"
        try:
            self.write("", name, os.urandom(PROBE_BYTES))
        finally:
            self.remove("", name)

    def begin(self) -> None:
        """See that it can be written, and leave the marker."""
        fs = self._open()
        if not fs.exists(self._path("", MARKER)):
            with suppress(FileExistsError):  # another server was quicker
                self.write("", MARKER, MARKER_TEXT)
        self.check_writing()

    def _path(self, *names: str) -> str:
        return "/".join([self._root, *filter(None, names)])


class NotMounted(OSError):
    """The archive's folder is there and has nothing in it that was put there."""


def _say_in_one_line(loop: Any, context: dict[str, Any]) -> None:
    """For fsspec's loop: what fails in a call is raised there; aiohttp leaves more tasks behind.

    While an object store is away that would be a traceback for each attempt.
    """
    logger.info("%s: %r", context.get("message"), context.get("exception"))


def _write_durably(path: Path, data: bytes) -> None:
    new_folder = not path.parent.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):  # the first error is the one to tell
            path.unlink()
        raise
    for folder in (path.parent, path.parent.parent)[: 2 if new_folder else 1]:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
