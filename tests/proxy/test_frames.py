"""Where frames begin and end, against frames that an independent implementation makes."""

from __future__ import annotations

from copy import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from flask_realtime.proxy.frames import TO_VISITOR, Frames, to_upstream

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70_000]


def wire(frame: Frame, *, is_masked: bool) -> bytes:
    return frame.serialize(mask=is_masked)


@given(
    sizes=st.lists(st.sampled_from(SIZES), min_size=1, max_size=5),
    is_masked=st.booleans(),
    step=st.integers(1, 80_000),
)
def test_ends_are_found_however_the_bytes_come(
    sizes: list[int], is_masked: bool, step: int
) -> None:
    data = b""
    ends = {0}
    for size in sizes:
        data += wire(Frame(Opcode.BINARY, bytes(size)), is_masked=is_masked)
        ends.add(len(data))
    frames = Frames()
    step = max(step, len(data) // 1000 + 1)
    for at in range(0, len(data), step):
        piece = data[at : at + step]
        following = min(end for end in ends if end >= at)
        assert frames.is_between is (at in ends)
        words = copy(frames).cut(b"goodbye", memoryview(piece))
        whole = b"goodbye" if following <= at + len(piece) else b""
        assert words == piece[: following - at] + whole
        frames.pass_on(memoryview(piece))
        if at + len(piece) == len(data):
            assert frames.is_between
    assert not frames.closed


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_masked", [False, True])
def test_a_head_that_comes_byte_by_byte(size: int, is_masked: bool) -> None:
    data = wire(Frame(Opcode.TEXT, b"x" * size), is_masked=is_masked) + b"\x89\x00"
    frames = Frames()
    for at in range(20):
        frames.pass_on(data[at : at + 1])
        if at + 1 < len(data) - 2:
            assert not frames.is_between
    frames.pass_on(data[20:])
    assert frames.is_between


def test_a_close_frame_is_noticed() -> None:
    frames = Frames()
    frames.pass_on(wire(Frame(Opcode.PING, b"close?"), is_masked=True))
    assert not frames.closed
    frames.pass_on(wire(Frame(Opcode.CLOSE, b"\x03\xe8bye"), is_masked=True)[:-1])
    assert frames.closed
    assert not frames.is_over
    frames.pass_on(b"e and more")
    assert frames.is_over
    assert frames.cut(b"goodbye", b"more") == b""


def test_goodbye_is_said_once_and_is_the_last_word() -> None:
    first, second = (wire(Frame(Opcode.TEXT, text), is_masked=True) for text in (b"one", b"two"))
    frames = Frames()
    frames.pass_on(first[:3])
    assert frames.cut(b"goodbye") == b""
    assert frames.cut(b"goodbye", first[3:5]) == first[3:5]
    assert frames.cut(b"goodbye", first[5:] + second) == first[5:] + b"goodbye"
    assert frames.cut(b"goodbye", second) == b""
    assert not frames.is_over
    assert frames.cut(b"goodbye", wire(Frame(Opcode.CLOSE, b"\x03\xe9"), is_masked=True)) == b""
    assert frames.is_over


def test_ours_are_what_they_should_be() -> None:
    frames = Frames()
    frames.pass_on(TO_VISITOR)
    assert frames.is_between
    assert frames.closed
    server = Protocol(SERVER)
    server.receive_data(to_upstream())
    assert server.close_rcvd is not None
    assert server.close_rcvd.code == 1001
    assert to_upstream() != to_upstream()
