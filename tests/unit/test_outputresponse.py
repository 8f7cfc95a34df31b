"""The stream of a download while Redis or the archive is away, over a log in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable, StoreUnavailable
from flask_realtime.tail import Chunk, Gap, Item
from flask_realtime.web import outputresponse
from flask_realtime.web.outputresponse import _items

WHOLE = b"0123456789"


class FlakyLog:
    """Ten bytes, of which two come at a time; each other read fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.reads = 0
        self.waits = 0

    def read(self, run: str, offset: int, max_bytes: int, entries: int) -> list[Item]:
        self.reads += 1
        if self.reads % 2:
            raise self.error
        data = WHOLE[offset : offset + 2]
        return [Chunk(offset, 0, 1, data, 1)] if data else []

    def wait_readable(self) -> None:
        self.waits += 1


def items(log: Any, *, until: int | None, is_gone: bool = False) -> list[list[Item]]:
    engine: Any = SimpleNamespace(log=log, outputs=SimpleNamespace(ended=lambda run: True))
    connection: Any = SimpleNamespace(gone=lambda: is_gone)
    run: Any = SimpleNamespace(id="run", final=False)
    return list(_items(engine, run, 0, until, connection))


def text(pieces: list[list[Item]]) -> bytes:
    return b"".join(item.data for piece in pieces for item in piece if isinstance(item, Chunk))


@pytest.mark.parametrize("error", [ArchiveUnavailable("away"), StoreUnavailable("away")])
@pytest.mark.parametrize("until", [None, 10, 7])
def test_it_waits_for_what_is_away(error: Exception, until: int | None) -> None:
    log = FlakyLog(error)
    assert text(items(log, until=until)) == WHOLE[:until]
    assert log.waits >= 4


def test_it_does_not_wait_for_ever_for_a_client_that_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outputresponse, "GONE_CHECK_SECONDS", 0.01)
    log = FlakyLog(ArchiveUnavailable("away"))
    monkeypatch.setattr(log, "wait_readable", host.Signal().wait)  # it never comes back
    assert items(log, until=None, is_gone=True) == []


def test_a_gap_comes_by_itself() -> None:
    class Gappy:
        def read(self, run: str, offset: int, max_bytes: int, entries: int) -> list[Item]:
            whole: list[Item] = [
                *(Chunk(0, 0, 1, b"ab", 1), Chunk(2, 0, 1, b"c", 1)),
                *(Gap(3, 6, 1), Chunk(6, 0, 1, b"d", 1)),
            ]
            return [item for item in whole if item.offset >= offset]

    assert items(Gappy(), until=7) == [
        [Chunk(0, 0, 1, b"ab", 1), Chunk(2, 0, 1, b"c", 1)],
        [Gap(3, 6, 1)],
        [Chunk(6, 0, 1, b"d", 1)],
    ]
