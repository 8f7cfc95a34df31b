"""What can go wrong with Webex: one root, few children, each a sentence for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

MAX_TEXT = 300  # characters of what a server says that a message repeats


class WebexError(Exception):
    """The root: a call that Webex did not answer as asked.

    `status` is the HTTP status, None without an answer; `tracking_id` is what Webex's support asks
    for. `retry_after` is how many seconds the answer asks to wait, None if it does not say.
    `unsent` is True if the request certainly was not carried out. `hint` ends the sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        tracking_id: str | None = None,
        retry_after: float | None = None,
        unsent: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.tracking_id = tracking_id
        self.retry_after = retry_after
        self.unsent = unsent
        self.hint = ""

    def __str__(self) -> str:
        text = self.message if self.status is None else f"{_named(self.status)}: {self.message}"
        if self.hint:
            text += f"; {self.hint}"
        return f"{text} (tracking id {self.tracking_id})" if self.tracking_id else text


class LoginNeeded(WebexError):
    """Nobody is logged in: there is no access token to use."""


class LoginExpired(WebexError):
    """401, also with a renewed token: the login is over. Token sources raise it as well."""


class Forbidden(WebexError):
    """403: this user may not do that."""


class NotFound(WebexError):
    """404 or 410: it is not there, or no longer."""


class Conflict(WebexError):
    """409, such as a person who is in the room already."""


class RateLimited(WebexError):
    """429: too many requests, and the call's time does not suffice to wait."""


class ServerFault(WebexError):
    """423 or 5xx: Webex could not answer now."""


class Unreachable(WebexError):
    """No answer: no connection, a connection that broke, or a timeout."""


class Untrusted(WebexError):
    """The server's certificate is not valid for its name: nothing was sent, nothing is repeated."""


class BadAnswer(WebexError):
    """An answer that cannot be used: no JSON, JSON of another form, a link that is not followed."""


_KINDS: dict[int, type[WebexError]] = {
    401: LoginExpired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    423: ServerFault,
    429: RateLimited,
}


def error_of(
    status: int,
    body: bytes,
    *,
    tracking_id: str | None,
    retry_after: float | None,
    secret: str,
) -> WebexError:
    """The error that an answer stands for. `secret` is the token; no message repeats it."""
    said, own_id = _read(body)
    kind = _KINDS.get(status, ServerFault if status >= 500 else WebexError)
    if 300 <= status < 400:
        kind, said = BadAnswer, "redirects are not followed"
    return kind(
        one_line(said.replace(secret, "***") if secret else said) or "no reason given",
        status=status,
        tracking_id=one_line(own_id or tracking_id or "") or None,
        retry_after=retry_after,
    )


def one_line(text: str, longest: int = MAX_TEXT) -> str:
    """Text of a stranger on one line: what cannot be printed (control codes too) is blanked."""
    shown = text[: 4 * longest]
    if not shown.isprintable():
        shown = "".join(each if each.isprintable() else " " for each in shown)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _read(body: bytes) -> tuple[str, str | None]:
    """What an error's body says, and its tracking id: Webex's shape or OAuth's, else nothing.

    An HTML page of some proxy says nothing that the status does not.
    """
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", None
    if not isinstance(found, dict):
        return "", None
    texts = [found.get("message"), found.get("error_description"), found.get("error")]
    errors = found.get("errors")
    if isinstance(errors, list):
        texts += [each.get("description") for each in errors if isinstance(each, dict)]
    said = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    tracking_id = found.get("trackingId")
    return said, tracking_id if isinstance(tracking_id, str) else None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
