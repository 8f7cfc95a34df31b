"""Secrets never reach a run's output, however it is cut; everything else does, unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.masking import MASK, MOST, SHOWN, Masker, Secrets, in_a_line

SECRET = "abcab-secret"
OTHER = "abcab-secret-and-more"


def masked(pieces: list[bytes], *secrets: str, flush: bool = True) -> list[bytes]:
    shown: list[bytes] = []
    known = Secrets()
    for secret in secrets:
        known.add(secret)
    masker = Masker(lambda stream, data: shown.append(data), known)
    for piece in pieces:
        masker.write(1, piece)
    if flush:
        masker.flush()
    return shown


def cut(data: bytes, places: set[int]) -> list[bytes]:
    ends = [*sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


TEXT = st.lists(
    st.sampled_from([SECRET.encode(), OTHER.encode(), b"abcab", b"ab", b"c", b"-", b"\n", b"\xff"]),
    max_size=12,
).map(b"".join)


def test_a_secret_in_one_piece_is_masked() -> None:
    assert masked([f"token {SECRET}\n".encode()], SECRET) == [b"token ***\n"]


def test_the_longer_of_two_that_begin_alike_is_masked_whole() -> None:
    assert b"".join(masked([OTHER.encode() + b"\n"], SECRET, OTHER)) == b"***\n"


@given(TEXT, st.sets(st.integers(0, 200), max_size=8))
def test_no_cut_lets_more_than_its_beginning_through(text: bytes, places: set[int]) -> None:
    shown = b"".join(masked(cut(text, places), SECRET))
    assert SECRET.encode() not in shown
    assert shown.count(MASK) == text.count(SECRET.encode())
    # What is left of a secret that was cut is at most its first bytes, before the mask.
    rest = text.split(SECRET.encode())
    parts = shown.split(MASK)
    for part, whole in zip(parts[:-1], rest[:-1], strict=True):
        assert part in {whole + SECRET.encode()[:n] for n in range(SHOWN + 1)}
    assert parts[-1] == rest[-1]


@given(TEXT, st.sets(st.integers(0, 200), max_size=8))
def test_without_the_secret_nothing_changes(text: bytes, places: set[int]) -> None:
    assert b"".join(masked(cut(text, places), "not-in-there-at-all")) == text


def test_the_beginning_of_a_secret_waits_for_what_follows() -> None:
    assert masked([b"end: abca"], SECRET, flush=False) == [b"end: "]
    assert b"".join(masked([b"end: abca", b"n\n"], SECRET)) == b"end: abcan\n"


def test_a_few_letters_do_not_wait() -> None:
    assert masked([b"Which one? abc"], SECRET, flush=False) == [b"Which one? abc"]


def test_streams_do_not_mix() -> None:
    shown: list[tuple[int, bytes]] = []
    known = Secrets()
    known.add(SECRET)
    masker = Masker(lambda stream, data: shown.append((stream, data)), known)
    masker.write(1, b"abcab")
    masker.write(2, b"-secret\n")
    masker.write(1, b"-secret\n")
    assert shown == [(2, b"-secret\n"), (1, b"***\n")]


def test_a_secret_that_becomes_known_later_is_masked_from_then_on() -> None:
    shown: list[bytes] = []
    of_all, of_run = Secrets(), None
    of_run = Secrets(of_all)
    masker = Masker(lambda stream, data: shown.append(data), of_run)
    masker.write(1, SECRET.encode() + b"\n")
    of_run.add(SECRET)
    of_all.add("another-secret")
    masker.write(1, SECRET.encode() + b" another-secret\n")
    assert shown == [SECRET.encode() + b"\n", b"*** ***\n"]
    assert of_all.known() == (b"another-secret",)


def test_what_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="ordinary text"):
        Secrets().add("abc")


def test_the_oldest_of_very_many_are_forgotten() -> None:
    secrets = Secrets()
    for number in range(MOST + 5):
        secrets.add(f"invented-{number:08}")
    assert len(secrets.known()) == MOST
    assert secrets.mask(f"invented-{MOST + 4:08} invented-00000001") == "*** invented-00000001"


def test_a_text_is_masked_as_a_whole() -> None:
    secrets = Secrets()
    secrets.add(SECRET)
    assert secrets.mask(f"Bearer {SECRET}, {SECRET}") == "Bearer ***, ***"
    assert secrets.mask("nothing") == "nothing"


def test_a_secret_of_several_lines_is_masked_in_a_text_of_one() -> None:
    key = "-----BEGIN KEY-----\r\nabc  def\x07\n-----END KEY-----\n"
    secrets = Secrets()
    secrets.add(key)
    secrets.add("a\n\n\n\n\n\n\nb")
    assert secrets.mask(f"no key: {in_a_line(key)} a b") == "no key: *** a b"
    assert secrets.mask(f"{key}{key}") == "******"
