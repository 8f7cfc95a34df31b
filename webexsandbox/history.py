"""Generated messages: computed from room and index when asked for, and never held.

A page of 1,000 must cost little (0.15 ms), or a benchmark of a client would measure the sandbox:
the parts of messages that differ are taken from a pool, as bytes, and joined.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Sequence
from typing import Any

from webexsandbox import timeline
from webexsandbox.cast import Person
from webexsandbox.ids import HEX3, Ids
from webexsandbox.phrases import number, sentence
from webexsandbox.timeline import DAY_MS, SLOT_MS, SLOTS_PER_DAY

POOL = SLOTS_PER_DAY * 11  # whole days, so that a place in the pool has its time of the day
REPLY_EACH = 24  # each so manieth message answers the one before it


class Pool:
    """Texts, authors and times of the day that the messages of many rooms share.

    Entry `j` of each list belongs to slot ``j % SLOTS_PER_DAY`` of a day.
    """

    def __init__(self, seed: int, ids: Ids, authors: tuple[Person, ...]) -> None:
        name = "-".join(author.name for author in authors)
        self.authors: list[Person] = []
        self.mentions: list[Person | None] = []
        self.ms: list[int] = []
        self.bodies: list[bytes] = []
        self.clocks: list[bytes] = []
        for j in range(POOL):
            n = number(seed, "message", name, j)
            author = authors[n % len(authors)]
            mentioned = authors[n // 64 % len(authors)] if n // 4096 % 16 == 0 else None
            if mentioned is author:
                mentioned = None
            ms = j % SLOTS_PER_DAY * SLOT_MS + n % SLOT_MS
            self.authors.append(author)
            self.mentions.append(mentioned)
            self.ms.append(ms)
            self.clocks.append(f'{timeline.iso(ms)[11:]}"}}'.encode())
            self.bodies.append(self._body(seed, ids, sentence(seed, name, j), author, mentioned))

    @staticmethod
    def _body(seed: int, ids: Ids, text: str, author: Person, mentioned: Person | None) -> bytes:
        fields: dict[str, Any] = {"text": text}
        if mentioned:
            who = ids.of("PEOPLE", mentioned.number)
            fields["text"] = f"{mentioned.first} {text}"
            fields["markdown"] = f"<@personId:{who}|{mentioned.first}> {text}"
            fields["html"] = f'<spark-mention data-object-id="{who}">{mentioned.first}'
            fields["html"] += "</spark-mention>"
            fields["mentionedPeople"] = [who]
        if number(seed, "file", text) % 32 == 0:
            fields["files"] = [f"https://files.sandbox.example/{number(seed, text)}.png"]
        fields["personId"] = ids.of("PEOPLE", author.number)
        fields["personEmail"] = author.email
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()


class History:
    """The generated messages 0 (oldest) to `count - 1` of one room. Cheap to make: holds none."""

    def __init__(
        self, seed: int, ids: Ids, pool: Pool, room: int, count: int, *, direct: bool
    ) -> None:
        self.count = count
        self._pool = pool
        n = number(seed, "room", room)
        # Rooms end within the last five days and begin at different places of the pool.
        self._slot = timeline.LAST_SLOT - n % (5 * SLOTS_PER_DAY) - count + 1
        self._shift = n // 512 % (POOL // SLOTS_PER_DAY) * SLOTS_PER_DAY
        self._prefix = ids.message_prefix(room)
        room_type = "direct" if direct else "group"
        middle = f'","roomId":"{ids.of("ROOM", room)}","roomType":"{room_type}",'
        self._middle = middle.encode()

    def _place(self, index: int) -> int:
        return (self._slot + index + self._shift) % POOL

    def author(self, index: int) -> Person:
        return self._pool.authors[self._place(index)]

    def mentioned(self, index: int) -> Person | None:
        return self._pool.mentions[self._place(index)]

    def parent(self, index: int) -> int | None:
        """The index of the message that this one answers."""
        return index - 1 if index % REPLY_EACH == REPLY_EACH - 1 else None

    def created_ms(self, index: int) -> int:
        slot = self._slot + index
        return slot // SLOTS_PER_DAY * DAY_MS + self._pool.ms[self._place(index)]

    def started_ms(self) -> int:
        """When the room was created: a day before its first slot."""
        return (self._slot // SLOTS_PER_DAY - 1) * DAY_MS

    def first_at(self, ms: int) -> int:
        """The index of the first message that was created at `ms` or later."""
        return bisect.bisect_left(range(self.count), ms, key=self.created_ms)

    def encode(self, indices: Sequence[int]) -> list[bytes]:
        """The messages as JSON objects. `indices` must descend; neighbours share an entry.

        The entries are to be joined by commas.
        """
        if len(indices) == 0:
            return []
        if indices[0] - indices[-1] == len(indices) - 1:
            return [self._encode_run(indices[0], indices[-1])]
        runs = [[index, index] for index in indices[:1]]
        for index in indices[1:]:
            if index == runs[-1][1] - 1:
                runs[-1][1] = index
            else:
                runs.append([index, index])
        return [self._encode_run(high, low) for high, low in runs]

    def _encode_run(self, high: int, low: int) -> bytes:
        """The messages from `high` down to `low`, both included, joined by commas."""
        parts: list[bytes] = []
        while high >= low:
            # As many as share their day and the first half of their number: all lists that they
            # are taken from are contiguous then.
            start = max(low, high - (self._slot + high) % SLOTS_PER_DAY, high & ~0xFFF)
            parts += self._encode_slice(high, start)
            high = start - 1
        parts[0] = parts[0][1:]
        return b"".join(parts)

    def _encode_slice(self, high: int, low: int) -> list[bytes]:
        pool, count, place = self._pool, high - low + 1, self._place(low)
        day = b',"created":"%bT' % timeline.day((self._slot + low) // SLOTS_PER_DAY).encode()
        parts = [b""] * (6 * count)
        parts[0::6] = [b',{"id":"' + self._prefix + HEX3[low >> 12]] * count
        parts[1::6] = HEX3[low & 0xFFF : (high & 0xFFF) + 1][::-1]
        parts[2::6] = [self._middle] * count
        parts[3::6] = pool.bodies[place : place + count][::-1]
        parts[4::6] = [day] * count
        parts[5::6] = pool.clocks[place : place + count][::-1]
        first_reply = low + (REPLY_EACH - 1 - low) % REPLY_EACH
        for reply in range(first_reply, high + 1, REPLY_EACH):
            parent = HEX3[reply - 1 >> 12] + HEX3[reply - 1 & 0xFFF]
            field = b',"parentId":"' + self._prefix + parent + b'"'
            parts[6 * (high - reply) + 4] = field + day
        return parts

    def read(self, index: int) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.encode([index])[0])
        return message
