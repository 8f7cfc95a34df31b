"""Fingerprints of the keys that all nodes have to share, for nodes to compare."""

from __future__ import annotations

import hashlib

from app.login.keys import session_key
from app.options import token_keys_of
from app.settings import Settings

# Whoever reads Redis must not find a short SECRET_KEY by trying: each attempt takes 50 ms, 16 MiB.
_COST = {"n": 1 << 14, "r": 8, "p": 1}
_LENGTH = 8  # bytes


def key_prints(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What `Options.key_prints` takes. Blocks for a moment; a key that is missing is made."""
    if settings.login != "webex":
        return {}
    session = settings.secret_key or session_key(settings.instance_path)
    return {
        "SECRET_KEY": tuple(map(_print, (session, *settings.secret_key_fallbacks))),
        "TOKEN_KEYS": tuple(map(_print, token_keys_of(settings))),
    }


def _print(key: str) -> str:
    salt = b"flask-realtime: do nodes have the same key?"
    return hashlib.scrypt(key.encode(), salt=salt, dklen=_LENGTH, **_COST).hex()
