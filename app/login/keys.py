"""Keys that are made once and kept in the instance folder, for those that nobody configured."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from flask_realtime.errors import ConfigurationError


def session_key(folder: Path) -> str:
    """The key that signs session cookies; kept in ``secret_key``."""
    return _kept(folder / "secret_key", lambda: secrets.token_urlsafe(48))


def token_key(folder: Path) -> str:
    """The Fernet key that encrypts tokens in Redis; kept in ``token_key``."""
    return _kept(folder / "token_key", lambda: Fernet.generate_key().decode())


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Return the content of `path`; when it is not there, make it, for its owner's eyes only.

    Of several processes that start at once one makes it, and all use that one.
    """
    try:
        if not path.exists():
            _create(path, make())
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise ConfigurationError(
                f"{path} can be read by others (mode {mode:03o}): make a new key by deleting it, "
                "or run chmod 600 on it"
            )
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the key cannot be kept there: {error}") from error
    if not text:
        raise ConfigurationError(f"{path} is empty: delete it, and a new key is made")
    return text


def _create(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # another process was faster; its key is the one
            os.link(written, path)  # whole or not at all, and never over another's
    finally:
        os.unlink(written)
