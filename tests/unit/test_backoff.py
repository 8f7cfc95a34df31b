"""Waits between attempts grow to their bound, each with a part that is left to chance."""

from __future__ import annotations

from flask_realtime.store.backoff import Backoff


def test_waits_grow_to_the_bound_and_begin_anew() -> None:
    backoff = Backoff(0.1, 1.0)
    waits = [backoff.next() for _ in range(8)]
    for wait, most in zip(waits, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0], strict=True):
        assert most / 2 <= wait <= most
    backoff.reset()
    assert backoff.next() <= 0.1


def test_two_that_began_at_once_do_not_come_back_at_once() -> None:
    one, other = Backoff(1, 60), Backoff(1, 60)
    assert [one.next() for _ in range(6)] != [other.next() for _ in range(6)]
