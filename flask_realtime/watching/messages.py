"""What viewers are sent: events that any number of them share, made of chunks and gaps. No I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from flask_realtime.outputlog import MAX_CHUNK
from flask_realtime.tail import MERGE_MS, Chunk, Gap, Item

OUTPUT, GAP = "output", "gap"  # the names of the events


class Message:
    """An `output` or a `gap` event of a run: one object for all who get it.

    `size` counts the bytes of output in it. `encoded` is for whoever sends it, to encode it once.
    """

    __slots__ = ("encoded", "end", "event", "offset", "payload", "size")

    def __init__(self, run: str, item: Item) -> None:
        self.event = GAP if isinstance(item, Gap) else OUTPUT
        self.offset = item.offset
        self.end = item.end
        self.size = 0 if isinstance(item, Gap) else len(item.data)
        self.payload = {"run": run, **described(item)}
        self.encoded: Any = None


def described(item: Item) -> dict[str, Any]:
    """A chunk or a gap as the wire protocol has it, the run left out."""
    if isinstance(item, Gap):
        return {"offset": item.offset, "next": item.end, "line": item.line}
    return {
        "offset": item.offset,
        "data": item.data,
        "time": item.time,
        "stream": item.stream,
        "line": item.line,
    }


def excerpt(items: Iterable[Item]) -> dict[str, Any]:
    """Chunks and gaps as one answer of the wire protocol: all their bytes in one piece, `data`.

    An item says with `size` how many of them are its own. A piece for each would be an attachment
    for each, of which Socket.IO's clients in JavaScript take no more than 10 in a packet.
    """
    listed = []
    pieces = []
    for item in items:
        described_item = described(item)
        if isinstance(item, Chunk):
            pieces.append(described_item.pop("data"))
            described_item["size"] = len(item.data)
        listed.append(described_item)
    return {"items": listed, "data": b"".join(pieces)}


def merged(items: Iterable[Item], within_ms: int = MERGE_MS) -> Iterator[Item]:
    """Join chunks that follow each other within `within_ms`, to events of up to MAX_CHUNK bytes."""
    batch: list[Chunk] = []
    size = 0
    for item in items:
        if batch and (
            isinstance(item, Gap)
            or item.stream != batch[0].stream
            or item.time - batch[0].time > within_ms
            or size + len(item.data) > MAX_CHUNK
        ):
            yield _joined(batch)
            batch, size = [], 0
        if isinstance(item, Gap):
            yield item
        else:
            batch.append(item)
            size += len(item.data)
    if batch:
        yield _joined(batch)


def _joined(batch: list[Chunk]) -> Chunk:
    if len(batch) == 1:
        return batch[0]
    first = batch[0]
    data = b"".join(chunk.data for chunk in batch)
    return Chunk(first.offset, first.time, first.stream, data, first.line)


def before(items: Iterable[Item], end: int) -> Iterator[Item]:
    """The items up to byte `end`; one that reaches beyond it is cut. A gap is not."""
    for item in items:
        if item.offset >= end:
            return
        if item.end > end and isinstance(item, Chunk):
            data = item.data[: end - item.offset]
            yield Chunk(item.offset, item.time, item.stream, data, item.line)
        else:
            yield item


class MessageCache:
    """Messages that several viewers are likely to need, found by run and offset.

    Bounded by the bytes of output in them; what was used longest ago goes first.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._messages: OrderedDict[tuple[str, int], Message] = OrderedDict()
        self._bytes = 0

    def add(self, run: str, message: Message) -> None:
        self._drop((run, message.offset))
        self._messages[run, message.offset] = message
        self._bytes += message.size
        while self._bytes > self._max_bytes:
            _, oldest = self._messages.popitem(last=False)
            self._bytes -= oldest.size

    def following(self, run: str, offset: int, max_bytes: int) -> list[Message]:
        """Messages that follow each other without a hole, the first one from `offset` on."""
        found: list[Message] = []
        size = 0
        while size < max_bytes and (message := self._messages.get((run, offset))) is not None:
            self._messages.move_to_end((run, offset))
            found.append(message)
            size += message.size
            offset = message.end
        return found

    def forget(self, run: str) -> None:
        for key in [key for key in self._messages if key[0] == run]:
            self._drop(key)

    def _drop(self, key: tuple[str, int]) -> None:
        message = self._messages.pop(key, None)
        if message is not None:
            self._bytes -= message.size
