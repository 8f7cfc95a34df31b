"""Compressed messages of all sizes and kinds, as each offer of permessage-deflate has them.

The sizes, the fragments and the offers are those of chapters 12 and 13 of the Autobahn test suite;
the client's compression is that of the websockets package. `make conformance` runs the suite.
"""

from __future__ import annotations

import json
import random
import zlib

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.sockets.hostile import BINARY, TEXT, Hostile
from tests.sockets.serving import Serving

SIZES = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072]
FRAGMENTS = [0, 256, 1024, 4096, 32768]  # bytes; 0 is one frame a message
ROUNDS = 3


def offer(forgets: bool, bits: int) -> ClientPerMessageDeflateFactory:
    """What the client asks the server's compression to do; `bits` 0 leaves its window open."""
    return ClientPerMessageDeflateFactory(
        server_no_context_takeover=forgets, server_max_window_bits=bits or None
    )


OFFERS = {
    "plain": [offer(False, 0)],
    "without takeover": [offer(True, 0)],
    "window of 9": [offer(False, 9)],
    "window of 15": [offer(False, 15)],
    "without takeover, window of 9": [offer(True, 9)],
    "without takeover, window of 15": [offer(True, 15)],
    "three": [offer(True, 9), offer(True, 0), offer(False, 0)],
}


def contents(kind: str) -> bytes:
    made = random.Random(7)
    if kind == "json":
        rows = [{"id": n, "name": f"row {n}", "values": [n, n / 7, -n]} for n in range(4000)]
        return json.dumps(rows).encode()
    if kind == "text":
        words = ["κόσμε", "Straße", "naïve", "monde", "world", "😀"]
        return " ".join(made.choice(words) for _ in range(30_000)).encode()
    if kind == "picture":
        return b"".join(bytes([n % 251]) * made.randrange(1, 40) for n in range(8000))
    return made.randbytes(max(SIZES))


CONTENTS = {
    "json": (TEXT, contents("json")),
    "text": (TEXT, contents("text")),
    "picture": (BINARY, contents("picture")),
    "noise": (BINARY, contents("noise")),
}


def cut(data: bytes, size: int) -> bytes:
    """At most `size` bytes of `data`, whole characters of them where it is text."""
    return data[:size] if size >= len(data) or data[size] & 0xC0 != 0x80 else cut(data, size - 1)


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_compressed_messages_come_back(served: Serving, name: str, fragment: int) -> None:
    with Hostile(served, "/large", offers=OFFERS[name]) as client:
        assert client.agreed.startswith("permessage-deflate")
        for opcode, data in CONTENTS.values():
            for size in SIZES:
                message = cut(data, size) if opcode is TEXT else data[:size]
                for _ in range(ROUNDS if size < 16384 else 1):
                    client.say(opcode, message, fragment)
                    frame = client.frame()
                    assert (frame.opcode, frame.data) == (opcode, message)


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 15])
def test_the_servers_window_is_no_wider_than_was_asked_for(served: Serving, bits: int) -> None:
    with Hostile(served, offers=[offer(False, bits)]) as client:
        assert f"server_max_window_bits={bits}" in client.agreed
        data = random.Random(1).randbytes(20_000) * 2  # repeats itself too far back for small ones
        client.say(BINARY, data)
        assert client.frame().data == data


def test_what_compresses_is_sent_compressed(served: Serving) -> None:
    message = CONTENTS["json"][1][:65536]
    with Hostile(served, "/large", offers=OFFERS["plain"]) as client:
        client.say(TEXT, message)
        client.frame()
        assert client.taken < 2 * len(zlib.compress(message))
