"""RFC 6455 and RFC 7692 against a hostile client, over http and https.

The cases follow the sections of the RFCs, as the Autobahn test suite does.
"""

from __future__ import annotations

import struct
import zlib

import psutil
import pytest

from tests.sockets.hostile import BINARY, CLOSE, CONT, PING, PONG, TEXT, Hostile, Unchecked
from tests.sockets.serving import Serving

SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536, 1_000_000]


def deflated(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return (made.compress(data) + made.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_messages_of_all_lengths_come_back(served: Serving, opcode, size: int) -> None:
    with Hostile(served) as client:
        client.send(opcode, b"*" * size)
        frame = client.frame()
        assert (frame.opcode, frame.data) == (opcode, b"*" * size)


@pytest.mark.parametrize("chop", [1, 997])
def test_a_frame_may_come_in_pieces(served: Serving, chop: int) -> None:
    with Hostile(served) as client:
        client.send(TEXT, b"\xce\xba" * 1500, chop=chop)
        assert client.frame().data == b"\xce\xba" * 1500


@pytest.mark.parametrize("size", [0, 1, 125])
def test_a_ping_is_answered_with_its_own_bytes(served: Serving, size: int) -> None:
    with Hostile(served) as client:
        data = bytes(range(130, 130 + size))
        client.send(PING, data)
        frame = client.frame()
        assert (frame.opcode, frame.data) == (PONG, data)


def test_ten_pings_get_ten_pongs_and_a_pong_gets_nothing(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(PONG, b"nobody asked")
        for number in range(10):
            client.send(PING, b"%d" % number)
        assert [client.frame().data for _ in range(10)] == [b"%d" % n for n in range(10)]
        client.send(TEXT, b"still there")
        assert client.frame().data == b"still there"


def test_control_frames_may_stand_between_fragments(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(TEXT, b"frag", fin=False)
        client.send(PING, b"in between")
        assert client.frame().opcode is PONG
        client.send(CONT, b"", fin=False)
        client.send(PING, b"again", chop=1)
        client.send(CONT, b"ment")
        assert [client.frame().data for _ in range(2)] == [b"again", b"fragment"]


def test_a_character_may_be_cut_by_fragments_and_a_ping(served: Serving) -> None:
    word = "κόσμε 😀".encode()
    with Hostile(served) as client:
        client.send(TEXT, word[:1], fin=False)
        for byte in word[1:-1]:
            client.send(CONT, bytes([byte]), fin=False)
            client.send(PING)
            assert client.frame().opcode is PONG
        client.send(CONT, word[-1:])
        assert client.frame().data == word


def test_many_fragments_make_one_message(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(BINARY, b"0" * 100, fin=False)
        for _ in range(500):
            client.send(CONT, b"1" * 100, fin=False)
        client.send(CONT)
        assert client.frame().data == b"0" * 100 + b"1" * 50_000


@pytest.mark.parametrize(
    ("what", "frames"),
    [
        ("a continuation of nothing", [(CONT, b"x", {})]),
        ("a continuation after the end", [(TEXT, b"x", {}), (CONT, b"x", {})]),
        ("a new message inside one", [(TEXT, b"x", {"fin": False}), (TEXT, b"x", {})]),
        ("a reserved bit", [(TEXT, b"x", {"rsv2": True})]),
        ("a compressed frame that was not agreed on", [(TEXT, b"x", {"rsv1": True})]),
        ("a fragmented ping", [(PING, b"x", {"fin": False})]),
        ("a long ping", [(PING, b"x" * 126, {})]),
        ("a close of one byte", [(CLOSE, b"x", {})]),
        ("a long close", [(CLOSE, struct.pack("!H", 1000) + b"x" * 124, {})]),
        ("a frame without a mask", [(TEXT, b"x", {"mask": False})]),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_breaks_the_rules_closes_with_1002(served: Serving, what: str, frames) -> None:
    with Hostile(served) as client:
        for opcode, data, options in frames:
            client.send(opcode, data, **options)
        assert client.closed() == 1002, what
        assert client.ended()


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_a_reserved_opcode_closes_with_1002(served: Serving, opcode: int) -> None:
    with Hostile(served) as client:
        client.raw(bytes([0x80 | opcode, 0x80, 0, 0, 0, 0]))
        assert client.closed() == 1002
        assert client.ended()


@pytest.mark.parametrize(
    "header",
    [b"\x82\xfe\x00\x05", b"\x82\xff" + bytes(7) + b"\x05", b"\x82\xff\xff" + bytes(7)],
    ids=["16 bits for 5", "64 bits for 5", "a negative length"],
)
def test_a_length_in_a_wrong_form_closes_with_1002(served: Serving, header: bytes) -> None:
    with Hostile(served) as client:
        client.raw(header + bytes(4) + b"12345")
        assert client.closed() == 1002


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xed\xa0\x80",  # half of a surrogate pair
        b"\xf4\x90\x80\x80",  # beyond U+10FFFF
        b"\xc0\xaf",  # longer than needed
        b"\xce",  # cut off
    ],
)
@pytest.mark.parametrize("is_fragmented", [False, True])
def test_text_that_is_not_utf8_closes_with_1007(
    served: Serving, data: bytes, is_fragmented: bool
) -> None:
    with Hostile(served) as client:
        if is_fragmented:
            client.send(TEXT, "gültig ".encode(), fin=False)
            client.send(PING)
            client.send(CONT, data)
        else:
            client.send(TEXT, data)
        assert client.closed() == 1007
        assert client.ended()


def test_bad_text_is_found_before_the_message_ends(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(TEXT, b"good", fin=False)
        client.send(CONT, b"\xf4\x90", fin=False)
        assert client.closed() == 1007


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
def test_a_close_is_answered_with_its_code(served: Serving, code: int) -> None:
    with Hostile(served) as client:
        client.send(CLOSE, struct.pack("!H", code) + b"Grund")
        assert client.closed() == code
        assert client.ended()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_close_with_a_code_that_nobody_may_send_is_answered_with_1002(
    served: Serving, code: int
) -> None:
    with Hostile(served) as client:
        client.send(CLOSE, struct.pack("!H", code))
        assert client.closed() == 1002
        assert client.ended()


def test_a_close_without_a_code_is_answered_in_kind(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(CLOSE)
        frame = client.frame()
        assert (frame.opcode, frame.data) == (CLOSE, b"")
        assert client.ended()


def test_a_close_with_a_reason_that_is_not_utf8_is_answered_with_1007(served: Serving) -> None:
    with Hostile(served) as client:
        client.send(CLOSE, struct.pack("!H", 1000) + b"\xce\xba\xed\xa0\x80")
        assert client.closed() == 1007


def test_what_comes_after_a_close_is_not_answered(served: Serving) -> None:
    with Hostile(served) as client:
        late = b"".join(
            each.serialize(mask=True)
            for each in [
                Unchecked(CLOSE, struct.pack("!H", 1000)),
                Unchecked(PING, b"late"),
                Unchecked(TEXT, b"late"),
                Unchecked(CLOSE, struct.pack("!H", 1001)),
            ]
        )
        client.raw(late)
        frame = client.frame()
        assert (frame.opcode, frame.data[:2]) == (CLOSE, struct.pack("!H", 1000))
        client.ended()


def test_a_message_that_is_followed_by_a_close_at_once_is_answered_first(served: Serving) -> None:
    with Hostile(served) as client:
        together = [
            Unchecked(TEXT, b"one"),
            Unchecked(BINARY, b"two"),
            Unchecked(CLOSE, b"\x03\xe8"),
        ]
        client.raw(b"".join(each.serialize(mask=True) for each in together))
        assert [client.frame().data for _ in range(3)] == [b"one", b"two", b"\x03\xe8"]


def test_frames_that_come_with_the_handshake_are_heard(served: Serving) -> None:
    early = Unchecked(TEXT, b"early").serialize(mask=True)
    with Hostile(served, early=early + early) as client:
        assert [client.frame().data for _ in range(2)] == [b"early", b"early"]


@pytest.mark.parametrize("is_fragmented", [False, True])
def test_a_message_over_the_limit_closes_with_1009(served: Serving, is_fragmented: bool) -> None:
    with Hostile(served, "/small") as client:
        assert client.frame().data == b"None"
        client.send(TEXT, b"x" * 1000)
        assert len(client.frame().data) == 1000
        if is_fragmented:
            for number in range(1001):
                client.send(CONT if number else BINARY, b"x", fin=False)
        else:
            client.send(BINARY, b"x" * 1001)
        assert client.closed() == 1009
        assert client.ended()


def test_a_limit_counts_bytes_and_not_characters(served: Serving) -> None:
    with Hostile(served, "/small") as client:
        client.frame()
        client.send(TEXT, "é".encode() * 501)
        assert client.closed() == 1009


def test_a_huge_message_is_refused_as_soon_as_the_limit_is_reached(served: Serving) -> None:
    with Hostile(served, "/small") as client:
        client.frame()
        client.raw(b"\x82\xff" + struct.pack("!Q", 2**62) + bytes(4) + bytes(1001))
        assert client.closed() == 1009
        assert client.ended()


def test_compressed_messages_come_and_go(served: Serving) -> None:
    text = b"all the same " * 1000
    with Hostile(served, deflate=True) as client:
        client.send(TEXT, deflated(text), rsv1=True)
        frame = client.frame()  # websockets has decompressed it
        assert frame.data == text
        client.send(TEXT, b"not compressed")
        assert client.frame().data == b"not compressed"


def test_a_ping_between_compressed_fragments_does_no_harm(served: Serving) -> None:
    text = bytes(range(65, 91)) * 200
    data = deflated(text)
    with Hostile(served, deflate=True) as client:
        client.send(TEXT, data[:7], fin=False, rsv1=True)
        client.send(PING, b"between")
        assert client.frame().opcode is PONG
        client.send(CONT, data[7:20], fin=False)
        client.send(PING, b"between")
        client.send(CONT, data[20:])
        assert [client.frame().data for _ in range(2)] == [b"between", text]


def test_compressed_data_that_is_none_closes_with_1007(served: Serving) -> None:
    with Hostile(served, deflate=True) as client:
        client.send(TEXT, b"\xff\xff\xff\xff no deflate", rsv1=True)
        assert client.closed() == 1007


@pytest.mark.parametrize("opcode", [CONT, PING])
def test_the_bit_of_compression_stands_on_first_frames_only(served: Serving, opcode) -> None:
    with Hostile(served, deflate=True) as client:
        if opcode is CONT:
            client.send(TEXT, deflated(b"x")[:1], fin=False, rsv1=True)
        client.send(opcode, b"x", rsv1=True)
        assert client.closed() == 1002


def test_a_bomb_does_not_inflate_beyond_the_limit(served: Serving) -> None:
    bomb = deflated(bytes(200 * 2**20))  # 200 KB on the wire
    with Hostile(served, "/small", deflate=True) as client:
        client.frame()
        client.send(BINARY, bomb, rsv1=True)
        assert client.closed() == 1009
    assert psutil.Process(served.pid).memory_info().rss < 150 * 2**20
