"""Keys that are made once and kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.login.keys import session_key, token_key
from flask_realtime import ConfigurationError


def test_keys_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "instance"
    key = token_key(folder)
    Fernet(key)
    assert token_key(folder) == key
    assert (folder / "token_key").stat().st_mode & 0o777 == 0o600
    assert len(session_key(folder)) >= 48
    assert session_key(folder) != key
    assert sorted(path.name for path in folder.iterdir()) == ["secret_key", "token_key"]


def test_all_who_start_at_once_use_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: token_key(tmp_path), range(40)))
    assert len(set(keys)) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token_key(tmp_path)
    (tmp_path / "token_key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="mode 640"):
        token_key(tmp_path)


def test_what_is_no_key_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "token_key").touch(0o600)
    with pytest.raises(ConfigurationError, match="is empty"):
        token_key(tmp_path)
    (tmp_path / "secret_key").mkdir(0o700)
    with pytest.raises(ConfigurationError, match="cannot be kept there"):
        session_key(tmp_path)
