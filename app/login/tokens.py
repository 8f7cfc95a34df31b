"""The tokens of a login: what the token endpoint answered, and how it is kept at rest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

EARLY_SECONDS = 60.0  # a token is renewed this long before it expires; a short-lived one at half


class TokensUnreadable(Exception):
    """No key opens them, or they are not this user's."""


@dataclass(frozen=True)
class Tokens:
    """Times are seconds since the epoch by this machine's clock; None where Webex said nothing."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    renew_at: float | None  # the access token is renewed from here on, before it expires
    refresh_expires_at: float | None
    scope: str | None

    @classmethod
    def from_answer(
        cls, answer: Mapping[str, Any], now: float, previous: Tokens | None = None
    ) -> Tokens:
        """Read a token endpoint's answer; what a renewal left out stays as it was `previous`ly."""
        lasts = _seconds(answer.get("expires_in"))
        refresh_lasts = _seconds(answer.get("refresh_token_expires_in"))
        refresh_token = answer.get("refresh_token")
        scope = answer.get("scope")
        if not isinstance(refresh_token, str) or not refresh_token:
            refresh_token = previous.refresh_token if previous else None
        refresh_expires_at = None if refresh_lasts is None else now + refresh_lasts
        if refresh_lasts is None and previous and refresh_token == previous.refresh_token:
            refresh_expires_at = previous.refresh_expires_at
        if not isinstance(scope, str):
            scope = previous.scope if previous else None
        return cls(
            access_token=answer["access_token"],
            refresh_token=refresh_token,
            renew_at=None if lasts is None else now + max(lasts - EARLY_SECONDS, lasts / 2),
            refresh_expires_at=refresh_expires_at,
            scope=scope,
        )

    def stale(self, now: float) -> bool:
        """Whether to renew the access token before it is used."""
        return self.renew_at is not None and now >= self.renew_at

    def lacks(self, wanted: str) -> list[str]:
        """The scopes of `wanted` that were not granted; none where Webex did not say."""
        if self.scope is None:
            return []
        return sorted(set(wanted.split()) - set(self.scope.split()))


class TokenCipher:
    """Encrypts tokens for Redis, each bound to its user and to the service that issued it.

    `keys` are Fernet keys: the first one encrypts, all of them decrypt. So a key is replaced by
    putting a new one in front, and the old one is dropped once all tokens were renewed.
    Raises ValueError when a key is none.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, user: str, issuer: str, tokens: Tokens) -> bytes:
        """Return `tokens` encrypted."""
        record = {"user": user, "issuer": issuer, "tokens": asdict(tokens)}
        return self._fernet.encrypt(json.dumps(record).encode())

    def open(self, user: str, issuer: str, sealed: bytes) -> Tokens:
        """Return what was sealed for just this user and issuer. Raises TokensUnreadable."""
        try:
            record = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise TokensUnreadable("no key decrypts the tokens") from error
        if (record["user"], record["issuer"]) != (user, issuer):
            raise TokensUnreadable("the tokens belong to another login")
        names = [each.name for each in fields(Tokens)]
        return Tokens(**{name: record["tokens"].get(name) for name in names})


def _seconds(value: object) -> float | None:
    """A duration as JSON brings it, a number or a text of digits; None for all else."""
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
