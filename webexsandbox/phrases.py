"""Invented texts for titles and messages, chosen by hashing: no state, no order of calls."""

from __future__ import annotations

import hashlib

SUBJECTS = (
    "The blue lantern",
    "Our paper boat",
    "The sample report",
    "Die Übung",
    "L'exemple",
    "The test balloon",
    "サンプル",
    "المثال",
    'The "quoted" draft',
    "The back\\slash",
)
VERBS = ("is ready", "moved to Tuesday", "needs a second look", "was found", "ist fertig 🎈")
ENDINGS = (
    "",
    ". Who takes it?",
    ": see <b>below</b> & reply",
    "!\nSecond line of the same message.",
    " (1 < 2 > 0)",
)
TOPICS = (
    "Lantern",
    "Paper boat",
    "Kite <b>club</b>",
    "Übungsraum",
    "サンプル 🎈",
    'Tea & "biscuits"',
    "مثال",
    "Balloon",
)


def number(seed: int, *what: object) -> int:
    """A number of 32 bits that depends on nothing but its arguments."""
    text = ":".join(map(str, (seed, *what)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def sentence(seed: int, *what: object) -> str:
    n = number(seed, *what)
    subject = SUBJECTS[n % 10]
    verb = VERBS[n // 10 % 5]
    return subject + " " + verb + ENDINGS[n // 50 % 5]


def title(seed: int, room: int) -> str:
    return f"Sandbox space {room + 1:04} {TOPICS[number(seed, 'title', room) % len(TOPICS)]}"
