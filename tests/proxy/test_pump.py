"""The pump by itself: bytes in order, ends passed on, nothing lost before them."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from flask_realtime.proxy.frames import TO_VISITOR, Frames
from flask_realtime.proxy.pump import Pump, Tunnel

MIB = 1 << 20
FRAME = b"\x81\x85\0\0\0\0hello"


class Ends:
    """A tunnel between two pairs of sockets: what the test holds are their far ends."""

    def __init__(self, pump: Pump, *, early: bytes = b"", idle_timeout: float = 60) -> None:
        self.visitor, near_visitor = socket.socketpair()
        self.upstream, near_upstream = socket.socketpair()
        self.done = threading.Event()
        self.tunnel = Tunnel(
            near_visitor,
            near_upstream,
            said=Frames(),
            to_upstream=early,
            idle_timeout=idle_timeout,
            done=self.done.set,
        )
        for end in (self.visitor, self.upstream):
            end.settimeout(60)
        pump.add(self.tunnel)

    def close(self) -> None:
        self.visitor.close()
        self.upstream.close()
        assert self.done.wait(60)


@pytest.fixture
def pump() -> Pump:
    return Pump()


@pytest.fixture
def ends(pump: Pump) -> Iterator[Ends]:
    made = Ends(pump)
    yield made
    made.close()


def everything(source: socket.socket) -> bytes:
    received = b""
    while piece := source.recv(MIB):
        received += piece
    return received


def test_what_was_said_before_the_end_arrives(ends: Ends) -> None:
    words = os.urandom(5 * MIB)

    def say() -> None:
        ends.upstream.sendall(words)
        ends.upstream.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=say)
    thread.start()
    assert everything(ends.visitor) == words
    thread.join()


def test_the_other_side_may_have_last_words(ends: Ends) -> None:
    ends.visitor.sendall(b"goodbye")
    ends.visitor.shutdown(socket.SHUT_WR)
    assert everything(ends.upstream) == b"goodbye"
    ends.upstream.sendall(b"and to you")
    ends.upstream.shutdown(socket.SHUT_WR)
    assert everything(ends.visitor) == b"and to you"
    assert ends.done.wait(60)


def test_words_of_one_who_is_gone_still_arrive(ends: Ends) -> None:
    ends.upstream.sendall(b"last words")
    ends.upstream.close()
    with suppress(OSError):
        for _ in range(100):
            ends.visitor.sendall(b"to nobody")
    assert everything(ends.visitor) == b"last words"
    assert ends.done.wait(60)


def test_early_bytes_come_first(pump: Pump) -> None:
    ends = Ends(pump, early=b"first ")
    ends.visitor.sendall(b"second")
    received = b""
    while len(received) < 12:
        received += ends.upstream.recv(100)
    assert received == b"first second"
    ends.close()


def test_many_at_once_in_pieces_of_any_size(pump: Pump) -> None:
    dice = random.Random(5)
    tunnels = [Ends(pump) for _ in range(20)]
    words = [dice.randbytes(dice.randrange(1, 400_000)) for _ in tunnels]

    def say(end: socket.socket, text: bytes) -> None:
        position = 0
        while position < len(text):
            step = dice.randrange(1, 70_000)
            end.sendall(text[position : position + step])
            position += step
        end.shutdown(socket.SHUT_WR)

    threads = []
    for ends, text in zip(tunnels, words, strict=True):
        for end in (ends.visitor, ends.upstream):
            threads.append(threading.Thread(target=say, args=(end, text)))
            threads[-1].start()
    for ends, text in zip(tunnels, words, strict=True):
        assert everything(ends.upstream) == text
        assert everything(ends.visitor) == text
    for thread in threads:
        thread.join()
    for ends in tunnels:
        ends.close()


def test_a_dropped_tunnel_ends_at_once(pump: Pump) -> None:
    ends = Ends(pump)
    pump.drop(ends.tunnel)
    assert ends.done.wait(60)
    assert ends.visitor.recv(1) == b""
    pump.drop(ends.tunnel)  # it has ended already
    ends.close()
    again = Ends(pump)  # with a thread anew
    again.visitor.sendall(b"x")
    assert again.upstream.recv(1) == b"x"
    again.close()


def test_a_silent_tunnel_ends(pump: Pump) -> None:
    ends = Ends(pump, idle_timeout=0.5)
    assert ends.done.wait(60)
    ends.close()


def test_a_stop_is_told_behind_the_frame_that_has_begun(ends: Ends, pump: Pump) -> None:
    ends.visitor.sendall(FRAME[:4])
    assert ends.upstream.recv(100) == FRAME[:4]
    pump.stop(ends.tunnel)
    assert ends.visitor.recv(100) == TO_VISITOR
    ends.visitor.sendall(FRAME[4:] + FRAME)
    received = b""
    while len(received) < len(FRAME) - 4 + 8:
        received += ends.upstream.recv(100)
    assert received.startswith(FRAME[4:] + b"\x88\x82")
    for end in (ends.visitor, ends.upstream):
        end.sendall(TO_VISITOR)  # their answers: they end it, and are not passed on
    assert everything(ends.visitor) == everything(ends.upstream) == b""
    assert ends.done.wait(60)


def test_a_stop_does_not_wait_for_one_who_never_answers(ends: Ends, pump: Pump) -> None:
    pump.stop(ends.tunnel)
    assert everything(ends.visitor) == TO_VISITOR
    assert len(everything(ends.upstream)) == 8
    assert ends.done.wait(60)


def test_a_side_that_has_closed_is_told_nothing_more(ends: Ends, pump: Pump) -> None:
    ends.upstream.sendall(b"\x88\x02\x0f\xa0")
    assert ends.visitor.recv(100) == b"\x88\x02\x0f\xa0"
    pump.stop(ends.tunnel)
    ends.visitor.sendall(TO_VISITOR)
    assert everything(ends.visitor) == b""
