"""One space: what is generated of it, and what has been changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from webexsandbox.cast import Person
from webexsandbox.history import History


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a room; `created_ms` is when they were added."""

    person: Person
    created_ms: int
    moderator: bool = False


@dataclass(slots=True)
class Room:
    """A space with its messages, which are numbered from 0, the oldest.

    The first ``history.count`` of them are generated, those in `written` come after. `edited`
    holds generated messages in their present form, `removed` the numbers of deleted ones.
    """

    number: int
    history: History
    creator: Person
    title: str
    created_ms: int
    members: dict[int, Member]  # shared with other rooms until World.keep()
    pair: tuple[Person, Person] | None = None  # of a direct room
    team: int | None = None
    locked: bool = False
    public: bool = False
    announcement: bool = False
    description: str | None = None
    deleted: bool = False
    written: dict[int, dict[str, Any]] = field(default_factory=dict)
    written_ms: dict[int, int] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)  # of written messages
    edited: dict[int, dict[str, Any]] = field(default_factory=dict)
    edits: dict[int, int] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    end: int = 0  # the number that the next message gets

    def __post_init__(self) -> None:
        self.end = self.history.count

    def title_for(self, viewer: Person) -> str:
        """A direct room is named after the other person."""
        if self.pair is None:
            return self.title
        return self.pair[self.pair[0] is viewer].display_name

    def last_activity_ms(self) -> int:
        newest = next(self.newest_first(), None)
        return self.created_ms if newest is None else self.message_ms(newest)

    def has(self, index: int) -> bool:
        return 0 <= index < self.end and index not in self.removed

    def newest_first(self, before: int | None = None) -> Iterator[int]:
        """The numbers of the messages below `before`, newest first."""
        numbers = range((self.end if before is None else before) - 1, -1, -1)
        if not self.removed:
            return iter(numbers)
        return (index for index in numbers if index not in self.removed)

    def message_ms(self, index: int) -> int:
        return self.written_ms.get(index) or self.history.created_ms(index)

    def first_at(self, ms: int) -> int:
        """The number of the first message that was created at `ms` or later."""
        place = self.history.first_at(ms)
        if place < self.history.count:
            return place
        later = (index for index in self.written if self.written_ms[index] >= ms)
        return min(later, default=self.end)

    def parent(self, index: int) -> int | None:
        """The number of the message that this one answers."""
        return self.parents.get(index) if index in self.written else self.history.parent(index)

    def mentions(self, index: int, person: Person, identifier: str) -> bool:
        """Whether a message mentions a person; `identifier` is the person's."""
        changed = self.written.get(index) or self.edited.get(index)
        if changed:
            return identifier in changed.get("mentionedPeople", ())
        return self.history.mentioned(index) is person

    def message(self, index: int) -> dict[str, Any]:
        changed = self.written.get(index) or self.edited.get(index)
        return dict(changed) if changed else self.history.read(index)

    def encode(self, indices: Sequence[int]) -> list[bytes]:
        """Messages as JSON, to be joined by commas; the numbers must descend."""
        if not self.written and not self.edited:
            return self.history.encode(indices)
        encoded, generated = [], []
        for index in indices:
            changed = self.written.get(index) or self.edited.get(index)
            if changed is None:
                generated.append(index)
                continue
            encoded += self.history.encode(generated)
            generated = []
            encoded.append(json.dumps(changed, ensure_ascii=False).encode())
        return encoded + self.history.encode(generated)

    def write(self, message: dict[str, Any], ms: int, parent: int | None) -> int:
        index = self.end
        if parent is not None:
            self.parents[index] = parent
        self.end += 1
        self.written[index] = message
        self.written_ms[index] = ms
        return index

    def change(self, index: int, message: dict[str, Any]) -> None:
        (self.written if index in self.written else self.edited)[index] = message
        self.edits[index] = self.edits.get(index, 0) + 1

    def remove(self, index: int) -> None:
        self.removed.add(index)
        self.written.pop(index, None)
        self.edited.pop(index, None)
