"""All that the sandbox serves: rooms computed when asked for, and what clients changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from webexsandbox import timeline
from webexsandbox.cast import CAST, CREATED, USERS, Person
from webexsandbox.errors import ApiError
from webexsandbox.history import History, Pool
from webexsandbox.ids import LIMIT, NOT_FOUND, Ids
from webexsandbox.phrases import number, title
from webexsandbox.room import Member, Room
from webexsandbox.webhook import Webhook

BORN_MS = timeline.parse(CREATED)
LOGINS = CAST[: len(USERS)]
PAIRS = tuple(itertools.combinations(LOGINS, 2))
DIRECT_EACH = len(USERS) - 1  # direct rooms that a user has, one with each other user
FEWEST_WITH_DIRECT = 8  # with fewer spaces than that there are no direct ones


@dataclass(slots=True)
class Team:
    number: int
    name: str
    description: str
    created_ms: int
    creator: Person
    members: dict[int, Member]


class World:
    """The data of one seed. Each user sees exactly `spaces` rooms of `messages` messages.

    Only rooms that were changed or created are held; the others are made anew for each look.
    """

    def __init__(self, seed: int, spaces: int, messages: int) -> None:
        self.seed = seed
        self.ids = Ids(seed)
        self.spaces = spaces
        self._messages = messages
        self._direct = spaces >= FEWEST_WITH_DIRECT
        self._groups = spaces - DIRECT_EACH if self._direct else spaces
        self._generated = self._groups + (len(PAIRS) if self._direct else 0)
        self._group_pool = Pool(seed, self.ids, CAST)
        self._pair_pools: dict[tuple[Person, Person], Pool] = {}
        self._group_members = {
            creator: {p.number: Member(p, BORN_MS, p is creator) for p in CAST}
            for creator in LOGINS
        }
        self.reset()

    def reset(self) -> None:
        """Forget all that clients changed."""
        self._kept: dict[int, Room] = {}
        self._next_room = self._generated
        self.webhooks: dict[int, Webhook] = {}
        self.next_webhook = 0
        self.next_team = 0
        self.teams: dict[int, Team] = {}
        for name in ("Kite team", "Lantern team"):
            self.create_team(name, "An invented team.", LOGINS[0], BORN_MS)
            self.teams[self.next_team - 1].members = {p.number: Member(p, BORN_MS) for p in LOGINS}

    # Rooms

    def room(self, room: int) -> Room | None:
        """The room of that number, deleted or not."""
        if room in self._kept:
            return self._kept[room]
        return self._make(room) if room < self._generated else None

    def keep(self, room: Room) -> Room:
        """Call this before changing a room: from now on it is held."""
        if room.number not in self._kept:
            room.members = dict(room.members)
            self._kept[room.number] = room
        return self._kept[room.number]

    def seen_room(self, person: Person, identifier: str) -> Room:
        """The room of an identifier, for a member of it. Raises ApiError 400 or 404."""
        room = self.room(self.ids.read("ROOM", identifier)[0])
        if room is None or room.deleted or person.number not in room.members:
            raise ApiError(404, NOT_FOUND["ROOM"])
        return room

    def rooms_of(self, person: Person) -> Iterator[Room]:
        """The rooms that a person is in, by number."""
        numbers: list[int] = list(range(self._groups))
        if self._direct:
            numbers += (self._groups + n for n, pair in enumerate(PAIRS) if person in pair)
        numbers += range(self._generated, self._next_room)
        for room_number in numbers:
            room = self._kept.get(room_number) or self._make(room_number)
            if not room.deleted and person.number in room.members:
                yield room

    def create_room(
        self, creator: Person, name: str, pair: tuple[Person, Person] | None = None
    ) -> Room:
        if self._next_room == LIMIT:
            raise ApiError(403, "The sandbox holds no more spaces.")
        now = timeline.now_ms()
        pool = self._group_pool
        history = History(self.seed, self.ids, pool, self._next_room, 0, direct=pair is not None)
        people = pair or (creator,)
        members = {p.number: Member(p, now, p is creator and not pair) for p in people}
        room = Room(self._next_room, history, creator, name, now, members, pair)
        self._next_room += 1
        return self.keep(room)

    def direct_room(self, one: Person, other: Person) -> Room | None:
        for room in itertools.chain(
            (self._make(self._groups + n) for n in range(len(PAIRS) if self._direct else 0)),
            self._kept.values(),
        ):
            if room.pair in ((one, other), (other, one)):
                return self._kept.get(room.number, room)
        return None

    def _make(self, room: int) -> Room:
        pair = PAIRS[room - self._groups] if room >= self._groups else None
        pool = self._pair_pool(pair) if pair else self._group_pool
        history = History(self.seed, self.ids, pool, room, self._messages, direct=pair is not None)
        n = number(self.seed, "creator", room)
        created = history.started_ms() + n % timeline.DAY_MS
        creator = pair[0] if pair else LOGINS[n % len(LOGINS)]
        members = self._group_members[creator]
        if pair:
            members = {p.number: Member(p, created) for p in pair}
        made = Room(room, history, creator, title(self.seed, room), created, members, pair)
        if not pair and n // 8 % 5 == 0:
            made.team = n // 64 % 2
        return made

    def _pair_pool(self, pair: tuple[Person, Person]) -> Pool:
        if pair not in self._pair_pools:
            self._pair_pools[pair] = Pool(self.seed, self.ids, pair)
        return self._pair_pools[pair]

    # Teams

    def create_team(self, name: str, description: str, creator: Person, ms: int) -> Team:
        team = Team(
            self.next_team, name, description, ms, creator, {creator.number: Member(creator, ms)}
        )
        self.next_team += 1
        self.teams[team.number] = team
        return team
