"""Errors: the type, the words, the tracking id; never a token, never a control code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webex.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    LoginExpired,
    NotFound,
    RateLimited,
    ServerFault,
    WebexError,
    error_of,
    one_line,
)


def made(status: int, body: bytes, tracking_id: str | None = None, secret: str = "") -> WebexError:
    return error_of(status, body, tracking_id=tracking_id, retry_after=None, secret=secret)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, BadAnswer),
        (400, WebexError),
        (401, LoginExpired),
        (403, Forbidden),
        (404, NotFound),
        (410, NotFound),
        (409, Conflict),
        (415, WebexError),
        (423, ServerFault),
        (429, RateLimited),
        (500, ServerFault),
        (502, ServerFault),
        (599, ServerFault),
    ],
)
def test_each_status_has_its_type(status: int, kind: type[WebexError]) -> None:
    error = made(status, b"")
    assert type(error) is kind
    assert error.status == status
    assert str(status) in str(error)


def test_webexs_own_shape_is_read() -> None:
    body = b'{"message":"No room.","errors":[{"description":"No room."}],"trackingId":"ROUTER_1"}'
    error = made(404, body, "HEADER_2")
    assert (error.message, error.tracking_id) == ("No room.", "ROUTER_1")
    assert str(error) == "404 Not Found: No room. (tracking id ROUTER_1)"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":"invalid_grant","error_description":"The token is gone"}', "The token is gone"),
        (b'{"error":"invalid_grant"}', "invalid_grant"),
        (b'{"errors":[{"description":"Bad id"}]}', "Bad id"),
        (b'{"message":null,"errors":"?"}', "no reason given"),
        (b'{"message":{"deep":1}}', "no reason given"),
        (b"[1]", "no reason given"),
        (b"<html>Bad gateway</html>", "no reason given"),
        (b'{"message":"cut', "no reason given"),
        (b"\xff\xfe", "no reason given"),
        (b"", "no reason given"),
    ],
)
def test_other_shapes_are_read_or_passed_over(body: bytes, message: str) -> None:
    error = made(400, body, "HEADER_2")
    assert (error.message, error.tracking_id) == (message, "HEADER_2")


def test_a_token_that_the_server_repeats_is_masked() -> None:
    error = made(401, b'{"message":"Bad token s3cret-token"}', secret="s3cret-token")
    assert "s3cret" not in str(error) + repr(error)
    assert "***" in str(error)


@given(st.binary(max_size=300), st.text(max_size=50))
def test_whatever_a_server_sends_is_one_printable_line(body: bytes, tracking_id: str) -> None:
    assert str(made(500, body, tracking_id)).isprintable()


def test_text_of_strangers_fits_on_a_line() -> None:
    assert one_line("a\n\x1b[31mb\u202ec\t d") == "a [31mb c d"
    assert one_line("x" * 1000, 10) == "xxxxxxxxx…"
    assert one_line(" ü 🙂 ") == "ü 🙂"
