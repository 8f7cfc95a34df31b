"""Clients that go without a word, that take nothing, and that talk faster than they are heard."""

from __future__ import annotations

import socket
import struct
import threading

import psutil
import pytest

from tests.sockets.hostile import CLOSE, PING, PONG, TEXT, Hostile, Unchecked
from tests.sockets.serving import Serving
from tests.support.patience import eventually


def nobody_is_left(served: Serving) -> bool:
    return served.get("/count").text == "0"


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_connection_that_ends_without_a_close_is_noticed(own: Serving, is_reset: bool) -> None:
    with Hostile(own) as client:
        if is_reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert own.said("echo ended with 1006")
    assert eventually(lambda: nobody_is_left(own))


def test_a_client_that_answers_no_ping_is_given_up(own: Serving) -> None:
    with Hostile(own, "/pinged") as client:  # it reads, but says nothing
        assert client.frame().opcode is PING
        assert client.closed() == 1008
        assert client.ended()
    assert own.said("pinged ended with 1006")


def test_a_client_that_answers_pings_stays(own: Serving) -> None:
    with Hostile(own, "/pinged-calmly") as client:
        for _ in range(3):
            ping = client.frame()
            assert ping.opcode is PING
            client.send(PONG, ping.data)
        client.send(CLOSE, struct.pack("!H", 1000))
        assert client.closed() == 1000
    assert own.said("pinged ended with 1000")


def test_a_client_that_is_away_is_noticed_by_a_handler_that_never_receives(own: Serving) -> None:
    with Hostile(own, "/pushes") as client:
        assert client.frame().data == b"go"
        client.frame()  # from here on the client is as if its cable were cut
        assert own.said("pushes ended")


def test_a_close_is_noticed_by_a_handler_that_never_receives(own: Serving) -> None:
    with Hostile(own, "/pushes") as client:
        for number in range(100):  # more than are read ahead
            client.send(TEXT, b"%d" % number)
        client.send(CLOSE, struct.pack("!H", 1000))
        client.socket.shutdown(socket.SHUT_WR)
        assert own.said("pushes ended")


def test_a_few_messages_unread_do_not_hide_a_close(own: Serving) -> None:
    with Hostile(own, "/pushes-calmly") as client:
        client.raw(Unchecked(TEXT, b"x").serialize(mask=True) * 5)
        client.send(CLOSE, struct.pack("!H", 1000))
        assert client.closed() == 1000
        assert own.said("pushes ended")


def test_a_handler_that_sends_into_the_void_ends_with_the_client(own: Serving) -> None:
    memory = psutil.Process(own.pid).memory_info().rss
    with Hostile(own, "/fills") as client:
        assert len(client.frame().data) == 2**20
        assert own.get("/echo").text == "an ordinary page"  # nobody else waits
    assert own.said("fills ended with 1006")
    assert psutil.Process(own.pid).memory_info().rss < memory + 40 * 2**20


def test_a_client_that_talks_faster_than_it_is_heard_has_to_wait(own: Serving) -> None:
    size, count = 1000, 30_000  # 30 MB: more than the system takes
    with own.connect("/waits-for-go", compression=None) as client:
        memory = psutil.Process(own.pid).memory_info().rss
        sent = [0]

        def talk() -> None:
            for _ in range(count):
                client.send(b"x" * size)
                sent[0] += 1

        talker = threading.Thread(target=talk)
        talker.start()
        eventually(lambda: int(own.get("/unread").text) >= 16 * size)
        before = -1
        while before != (before := sent[0]):  # until it has to wait
            own.get("/echo")
            talker.join(0.2)
        assert sent[0] < count
        assert int(own.get("/unread").text) < 200_000
        assert psutil.Process(own.pid).memory_info().rss < memory + 20 * 2**20
        own.get("/go")
        talker.join(60)
        assert not talker.is_alive()
    assert own.said(f"took {size * count}")


def test_a_slow_handler_gets_all_that_was_sent_before_the_close(own: Serving) -> None:
    with Hostile(own, "/slow") as client:
        client.raw(Unchecked(TEXT, b"x").serialize(mask=True) * 199)
        client.send(TEXT, b"go")
        client.send(CLOSE, struct.pack("!H", 1000))
        assert own.said("slow took 200")


def test_a_flood_of_pings_does_not_keep_others_waiting(own: Serving) -> None:
    with Hostile(own) as client, own.connect("/echo") as other:
        client.socket.settimeout(60)
        pings = Unchecked(PING, b"x").serialize(mask=True) * 10_000
        reader = threading.Thread(target=_drain, args=(client.socket, 10_000 * 3))
        reader.start()
        client.raw(pings)
        other.send("fair")
        assert other.recv(timeout=60) == "fair"
        reader.join(60)
        assert not reader.is_alive()


def _drain(connected: socket.socket, size: int) -> None:
    while size > 0:
        data = connected.recv(65536)
        assert data
        size -= len(data)
