"""The invented people: a few who can log in, and guests who only write."""

from __future__ import annotations

from dataclasses import dataclass

USERS = ("ada", "ben", "cora", "dan")
GUESTS = 20
CREATED = "2020-01-01T08:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Person:
    """`number` is the person's place in CAST, `name` what the control endpoint calls them."""

    number: int
    name: str
    first: str

    @property
    def is_user(self) -> bool:
        return self.number < len(USERS)

    @property
    def display_name(self) -> str:
        return f"{self.first} Example"

    @property
    def email(self) -> str:
        return f"{self.name}@sandbox.example"


CAST = tuple(
    Person(number, name, name.capitalize())
    for number, name in enumerate([*USERS, *(f"guest{n:02}" for n in range(1, GUESTS + 1))])
)
BY_NAME = {person.name: person for person in CAST}
BY_EMAIL = {person.email: person for person in CAST}
