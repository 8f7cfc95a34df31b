"""Authorization codes and tokens: who may do what, until when. Holds state, does no I/O."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TypeVar

from webexsandbox.cast import BY_NAME, USERS, Person

PERSONAL_PREFIX = "sandbox-token-"  # and the user's name: a token that never expires
ALL_SCOPES = "spark:all"
REFRESH_SECONDS = 7775999
MOST_TOKENS = 100_000  # held at a time; the oldest go
T = TypeVar("T")


class OAuthError(Exception):
    """What the token endpoint answers with; `error` is the code of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Code:
    person: Person
    scope: str
    redirect_uri: str
    challenge: str
    expires: float


@dataclass(slots=True)
class Grant:
    """What a user granted. Its refresh token may change; `revoked` ends all its tokens."""

    person: Person
    scope: str
    expires: float  # of the refresh token
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    grant: Grant
    expires: float


class Grants:
    """All codes and tokens. Times are seconds of one clock that the caller reads."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Grant] = {}

    def new_code(self, code: Code) -> str:
        name = secrets.token_urlsafe(32)
        _bounded(self._codes)[name] = code
        return name

    def redeem(self, name: str, redirect_uri: str, verifier: str, now: float) -> Grant:
        """Use a code: once, whatever comes of it. Raises OAuthError."""
        code = self._codes.pop(name, None)
        if code is None:
            raise OAuthError(400, "invalid_grant", "The code is unknown or was used already.")
        if code.expires <= now:
            raise OAuthError(400, "invalid_grant", "The code has expired.")
        if code.redirect_uri != redirect_uri:
            raise OAuthError(400, "invalid_grant", "The redirect_uri is not that of the code.")
        if code.challenge and not hmac.compare_digest(code.challenge, challenge_of(verifier)):
            raise OAuthError(400, "invalid_grant", "The code_verifier does not fit the challenge.")
        return Grant(code.person, code.scope, now + REFRESH_SECONDS)

    def new_access(self, grant: Grant, expires: float) -> str:
        token = secrets.token_urlsafe(48)
        _bounded(self._access)[token] = Access(grant, expires)
        return token

    def new_refresh(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(48)
        _bounded(self._refresh)[token] = grant
        return token

    def refreshable(self, token: str, now: float) -> Grant:
        """Return the grant of a refresh token. Raises OAuthError."""
        grant = self._refresh.get(token)
        if grant is None or grant.revoked or grant.expires <= now:
            raise OAuthError(
                400, "invalid_grant", "The refresh token is unknown, revoked or expired."
            )
        return grant

    def forget_refresh(self, token: str) -> None:
        self._refresh.pop(token, None)

    def caller(self, token: str, now: float) -> tuple[Person, str] | None:
        """The person of an access token and its scope; None if it is not valid."""
        name = token.removeprefix(PERSONAL_PREFIX)
        if name != token and name in USERS:
            return BY_NAME[name], ALL_SCOPES
        access = self._access.get(token)
        if access is None or access.grant.revoked or access.expires <= now:
            return None
        return access.grant.person, access.grant.scope

    def owner(self, code: str, refresh_token: str) -> Person | None:
        """Whom a code or a refresh token belongs to, for the log."""
        found = self._codes.get(code) or self._refresh.get(refresh_token)
        return found.person if found else None

    def revoke(self, token: str) -> None:
        """End an access token, or a refresh token with all that came of it (RFC 7009)."""
        self._access.pop(token, None)
        grant = self._refresh.pop(token, None)
        if grant is not None:
            grant.revoked = True

    def expire_access_tokens(self) -> None:
        self._access.clear()


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of RFC 7636."""
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _bounded(held: dict[str, T]) -> dict[str, T]:
    if len(held) >= MOST_TOKENS:
        del held[next(iter(held))]
    return held
