"""Where the embedded redis-server listens: a socket in a folder that only its user can enter.

The folder of data notes it, so that workers beside the program find it, and find it again when the
program was started anew.
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from flask_realtime.errors import ConfigurationError

SOCKET = "redis.sock"
# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the final NUL included.
SOCKET_PATH_MAX_BYTES = 103
_NOTE = "address"  # the file in the folder of data that names the folder of the socket


def make_folder(data: Path) -> Path:
    """Make the folder of the socket, that of the last time if it can be had (mode 0700).

    For who holds the lock of the folder `data`. Raises ConfigurationError.
    """
    folder = _folder_again(data) or _private_folder()
    (data / _NOTE).write_text(str(folder), "utf-8")
    return folder


def running_at(data: Path) -> str | None:
    """The address of the server, of this program or another, whose data are in the folder `data`.

    None when none answers there. For programs of the same user, since the socket is theirs alone.
    """
    folder = _noted(data)
    if folder is None or not ping(folder / SOCKET).startswith((b"+PONG", b"-LOADING")):
        return None
    return "unix://" + quote(str(folder / SOCKET))


def _noted(data: Path) -> Path | None:
    try:
        return Path((data / _NOTE).read_text("utf-8"))
    except FileNotFoundError:
        return None


def _folder_again(data: Path) -> Path | None:
    """The folder of the socket that was used before, made again; None if it is not ours alone."""
    folder = _noted(data)
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # the program was killed before it could remove it
        found = folder.lstat()
        is_ours = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
        return folder if is_ours and stat.S_ISDIR(found.st_mode) else None
    except OSError:
        return None
    return folder


def _private_folder() -> Path:
    """A new folder (0700) whose path leaves room for a socket's name."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        length = len(os.fsencode(os.path.join(parent, "flask-realtime-12345678", SOCKET)))
        if length <= SOCKET_PATH_MAX_BYTES and os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="flask-realtime-", dir=parent))
    raise ConfigurationError(
        "there is no temporary folder with a path short enough for a Unix socket: "
        "set TMPDIR to a writable folder, or REDIS_URL to a server that runs"
    )


def ping(path: Path) -> bytes:
    """The server's answer to PING; empty if there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(200)
        except OSError:
            return b""
