"""When a call is repeated, and how long it waits: the rules alone."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webex.errors import BadAnswer, Unreachable, Untrusted, WebexError, error_of
from app.webex.retry import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    Retries,
    may_repeat,
    parse_retry_after,
)

NOW = 1_800_000_000.0


def failed(status: int, retry_after: float | None = None) -> WebexError:
    return error_of(status, b"", tracking_id=None, retry_after=retry_after, secret="")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("0", 0),
        ("1.5", 1.5),
        ("3600", 3600),
        ("9" * 30, 1e30),
        (formatdate(NOW + 7, usegmt=True), 7),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),  # long past
        (formatdate(NOW - 7, usegmt=True), None),
        ("-1", None),
        ("", None),
        (None, None),
        ("rand(30),add(30)", None),
        ("1e3", None),
        ("1.2.3", None),
        ("soon", None),
        ("٣", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_in_every_shape(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == pytest.approx(seconds)


@given(st.text())
def test_no_retry_after_raises_or_is_negative(value: str) -> None:
    found = parse_retry_after(value, now=NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [423, 429, 500, 502, 503, 504])
def test_what_does_no_harm_twice_is_repeated(method: str, status: int) -> None:
    assert may_repeat(method, failed(status))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 400, 403, 404, 405, 409, 410, 415, 428, 501])
def test_a_final_answer_is_final(method: str, status: int) -> None:
    assert not may_repeat(method, failed(status))


def test_a_post_is_repeated_only_if_it_was_not_carried_out() -> None:
    assert may_repeat("POST", failed(429))
    assert may_repeat("POST", failed(423))
    assert may_repeat("POST", failed(503, retry_after=1))
    assert may_repeat("POST", Unreachable("no connection", unsent=True))
    for status in (500, 502, 503, 504):
        assert not may_repeat("POST", failed(status))
    assert not may_repeat("POST", Unreachable("broke"))
    assert not may_repeat("POST", BadAnswer("no JSON", status=200))


def test_a_false_certificate_is_not_tried_again() -> None:
    assert not may_repeat("GET", Untrusted("expired"))


def test_a_post_that_may_have_been_carried_out_says_so() -> None:
    error = failed(502)
    assert Retries("POST").wait(error, 100) is None
    assert "may have been carried out" in str(error)
    refused = failed(400)
    assert Retries("POST").wait(refused, 100) is None
    assert "carried out" not in str(refused)


@given(
    st.floats(0, 200),
    st.floats(0, 1),
    st.sampled_from([423, 429, 503]),
)
def test_the_wait_is_never_shorter_than_asked_and_little_longer(
    asked: float, jitter: float, status: int
) -> None:
    wait = Retries("GET", lambda: jitter).wait(failed(status, asked), 300)
    assert wait is not None
    assert asked <= wait <= max(asked + 2, FIRST_WAIT)
    assert wait > 0


def test_a_wait_beyond_the_calls_time_gives_up_at_once_and_says_why() -> None:
    error = failed(429, 3600)
    assert Retries("GET").wait(error, 300) is None
    assert "asks to wait 3,600 s" in str(error)


@pytest.mark.parametrize("asked", [None, 0.0])
def test_without_a_time_the_waits_grow_and_have_a_limit(asked: float | None) -> None:
    retries = Retries("GET", lambda: 1.0)
    waits = [retries.wait(failed(429, asked), 1e9) for _ in range(12)]
    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT


def test_faults_are_limited_in_number_and_rate_limits_by_time_alone() -> None:
    retries = Retries("GET")
    for _ in range(50):
        assert retries.wait(failed(429, 1), 300) is not None
    for _ in range(MAX_ATTEMPTS - 1):
        assert retries.wait(failed(502), 300) is not None
    error = failed(502)
    assert retries.wait(error, 300) is None
    assert f"given up after {50 + MAX_ATTEMPTS} attempts" in str(error)


def test_when_the_time_is_over_it_says_so() -> None:
    error = failed(429)
    assert Retries("GET").wait(error, 0.01) is None
    assert "time being over" in str(error)
