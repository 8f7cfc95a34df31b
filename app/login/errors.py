"""What can go wrong at the token endpoint; the texts are sentences for the user."""

from __future__ import annotations


class TokenRefused(Exception):
    """Webex answered that it gives no token.

    `by_user`: it is this user's grant that it does not accept; otherwise the application's own
    credentials, which its operator has to mend.
    """

    def __init__(self, message: str, *, by_user: bool, status: int | None = None) -> None:
        super().__init__(message)
        self.by_user = by_user
        self.status = status


class TokenServiceUnavailable(Exception):
    """No answer, or none that can be used: later it may work."""
