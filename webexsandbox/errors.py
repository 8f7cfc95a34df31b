"""Errors as Webex's API answers them."""

from __future__ import annotations


class ApiError(Exception):
    """An answer with an error status; the server turns it into JSON with a tracking id."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def error_body(message: str, tracking_id: str) -> dict[str, object]:
    return {
        "message": message,
        "errors": [{"description": message}],
        "trackingId": tracking_id,
    }
