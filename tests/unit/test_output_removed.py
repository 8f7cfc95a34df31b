"""Answers with the output of a run that retention removes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response

from flask_realtime import logreader
from flask_realtime.errors import UnknownRun
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.web import outputresponse
from flask_realtime.web.outputresponse import Wanted, output_response
from tests.support.watchedengine import Start, Watched

LINES = 50_000
ALL = "".join(f"{number}\n" for number in range(LINES)).encode()
Ask = Callable[..., Response]


@pytest.fixture
def watched(engine: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(logreader, "READ_ENTRIES", 1)  # a piece for each of Redis' entries
    with engine() as running:
        yield running


@pytest.fixture
def run(watched: Watched) -> Run:
    """It has ended, and its output has several entries in Redis."""
    made = watched.start("count", to=LINES)
    ended: Run = watched.ended(made)
    return ended


@pytest.fixture
def ask(watched: Watched, run: Run) -> Iterator[Ask]:
    with Flask("asked").test_request_context("/output"):
        yield lambda **wanted: output_response(watched.engine, run, Wanted(**wanted))


def remove(watched: Watched, run: Run) -> None:
    """The record goes first, as retention does it."""
    watched.engine.store.call(lambda client: client.delete(keys.record(run.id)))
    watched.engine.log.forget(run.id)


def first_read(monkeypatch: pytest.MonkeyPatch, before: Callable[[], None]) -> None:
    """Let `before` happen between the look at what there is and the first read of it."""
    reader = outputresponse.LogReader
    done = []

    class Late(reader):  # type: ignore[misc,valid-type]
        def read(self, offset: int) -> Any:
            if not done:
                done.append(before())
            return super().read(offset)

    monkeypatch.setattr(outputresponse, "LogReader", Late)


def test_output_that_goes_before_the_first_read_is_a_gap(
    watched: Watched, run: Run, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask().get_data() == ALL
    first_read(monkeypatch, lambda: watched.engine.log.discard(run.id))
    answer = ask()
    assert answer.get_data() == b""
    assert answer.headers["X-Output-Offset"] == str(len(ALL))


def test_a_run_that_goes_before_the_first_read_is_unknown(
    watched: Watched, run: Run, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_read(monkeypatch, lambda: remove(watched, run))
    with pytest.raises(UnknownRun):
        ask()


@pytest.mark.parametrize("wanted", [{}, {"follow": True}, {"is_text": True}])
def test_a_run_that_goes_in_the_middle_breaks_the_answer_off(
    watched: Watched, run: Run, ask: Ask, wanted: dict[str, bool]
) -> None:
    pieces = ask(**wanted).iter_encoded()
    first = next(pieces)
    assert ALL.startswith(first)
    assert len(first) < len(ALL)
    remove(watched, run)
    with pytest.raises(ConnectionAbortedError, match=f"to {len(ALL)} are gone"):
        list(pieces)


def test_who_has_followed_a_run_to_its_end_has_all_although_it_goes(
    watched: Watched, run: Run, ask: Ask
) -> None:
    pieces = ask(follow=True).iter_encoded()
    got = b""
    while len(got) < len(ALL):
        got += next(pieces)
    remove(watched, run)
    assert got + b"".join(pieces) == ALL
