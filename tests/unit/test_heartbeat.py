"""When a client of a raw WebSocket is pinged, and when it is given up."""

from __future__ import annotations

import pytest

from flask_realtime.sockets.connection import BEATS, WebSocket

INTERVAL = 20.0


class Wire:
    """Where a client was last heard of, in seconds of the monotonic clock."""

    heard = 0.0


class Beaten(WebSocket):
    """One without a connection, which notes what it would do."""

    def __init__(self) -> None:
        self._is_pacing = self._is_full = False
        self._unanswered = 0
        self.wire = Wire()
        self.now = 0.0
        self.done: list[tuple[str, float]] = []

    def beats(self, count: int, seconds: float = INTERVAL / BEATS) -> None:
        for _ in range(count):
            self.now += seconds
            self.beat(self.now, INTERVAL)


@pytest.fixture
def beaten(monkeypatch: pytest.MonkeyPatch) -> Beaten:
    made = Beaten()

    def note(what: object) -> None:
        made.done.append((getattr(what, "__name__", ""), made.now))

    monkeypatch.setattr("flask_realtime.host.spawn", note)
    return made


def test_a_silent_client_is_pinged_after_an_interval_and_given_up_after_another(
    beaten: Beaten,
) -> None:
    beaten.beats(20)
    assert beaten.done == [("_ping", 20.0), ("_give_up", 40.0)]


def test_a_client_that_answers_is_pinged_again_and_again(beaten: Beaten) -> None:
    for _ in range(3):
        beaten.beats(BEATS)
        beaten.wire.heard = beaten.now
    beaten.beats(2 * BEATS - 1)
    assert beaten.done == [("_ping", seconds) for seconds in (20.0, 40.0, 60.0, 80.0)]


def test_a_stall_of_the_server_is_not_laid_at_its_clients_door(beaten: Beaten) -> None:
    beaten.beats(1, seconds=1000)
    assert beaten.done == [("_ping", 1000.0)]
    beaten.beats(1, seconds=1000)
    beaten.wire.heard = beaten.now  # its answer is read
    beaten.beats(BEATS - 1)
    assert len(beaten.done) == 1
