"""What those who watch ask for, where another process owns the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.archive import Archive
from flask_realtime.errors import BadOffset
from flask_realtime.logwriter import LogWriter
from flask_realtime.outputlog import OutputLog
from flask_realtime.registry import RunRegistry
from flask_realtime.runs import Run
from flask_realtime.store.store import Store
from flask_realtime.watching import runoutputs
from flask_realtime.watching.messages import Message
from flask_realtime.watching.runoutputs import RunOutputs
from flask_realtime.watching.viewers import Viewers
from tests.support.hub import until
from tests.support.registries import a_run


class Elsewhere:
    """A run that another process owns, and what this one offers of it."""

    def __init__(self, store: Store) -> None:
        self.owner = OutputLog(store, Archive("memory://elsewhere"), hot_bytes=1 << 30)
        registry = RunRegistry(store, lambda run: (0, 1))
        self.run = Run("r", "j", {}, "u", "thread", "thread", "somebody else")
        self.writer: LogWriter = self.owner.open("r")
        log = OutputLog(store, Archive("memory://elsewhere"), hot_bytes=1 << 30)
        self.viewers = Viewers(log, window_bytes=1 << 20)
        self.outputs = RunOutputs(registry, log, self.viewers)
        self.data = b""

    def send(self, message: Message, acknowledged: Callable[[], None] | None) -> None:
        self.data += message.payload["data"]


@pytest.fixture
def elsewhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    made = Elsewhere(store)
    monkeypatch.setattr(made.outputs, "ended", lambda run: run.final)
    yield made
    made.viewers.disconnected("c")
    made.writer.end()
    made.writer.drain()
    made.owner.close("r")
    host.sleep(0)


def test_who_has_seen_more_than_is_stored_is_waited_for(elsewhere: Elsewhere) -> None:
    answers: list[Any] = []

    def ask() -> None:
        answers.append(elsewhere.outputs.attach(elsewhere.run, "c", elsewhere.send, offset=6))
        answers.append(elsewhere.outputs.read(elsewhere.run, offset=6, size=3)["data"])

    task = host.spawn(ask)
    host.sleep(0.1)
    assert not answers
    elsewhere.writer.append(1, b"one\ntwo\nthree\n")
    task.wait()
    assert answers == [(6, 2), b"o\nt"]
    until(lambda: elsewhere.data == b"o\nthree\n")


def test_an_offset_that_is_never_reached_is_refused(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runoutputs, "CATCH_UP_SECONDS", 0.1)
    with pytest.raises(BadOffset, match="has 0 bytes"):
        elsewhere.outputs.attach(elsewhere.run, "c", elsewhere.send, offset=6)


@pytest.mark.parametrize(("offset", "state"), [(10**12, "running"), (6, "succeeded")])
def test_what_cannot_come_is_not_waited_for(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, offset: int, state: str
) -> None:
    monkeypatch.setattr(runoutputs, "CATCH_UP_POLL_SECONDS", 10**6)
    elsewhere.run.state = state
    with host.Timeout(5), pytest.raises(BadOffset):
        elsewhere.outputs.attach(elsewhere.run, "c", elsewhere.send, offset=offset)


def test_that_a_run_is_over_is_told_also_when_its_owners_message_was_lost(store: Store) -> None:
    owner, here = (RunRegistry(store, lambda run: (0, 1)) for _ in range(2))
    log = OutputLog(store, Archive("memory://elsewhere"), hot_bytes=1 << 30)
    viewers = Viewers(log, window_bytes=1 << 20)
    outputs = RunOutputs(here, log, viewers)
    told: list[tuple[str, str]] = []
    outputs.over = lambda run: told.append((run.id, run.state))
    run = a_run(owner)
    outputs.attach(here.get(run.id), "c", lambda *message: None)
    run.enter("running")
    owner.save(run)
    assert not told
    run.enter("succeeded")
    owner.finish(run)
    until(lambda: told)
    assert set(told) == {(run.id, "succeeded")}
    viewers.disconnected("c")
    host.sleep(0)
