"""What WebSockets of Socket.IO run on: read ahead, joined writes, and turns."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterable
from typing import Any

from flask_realtime import host
from flask_realtime.host.connection import INPUT, SOCKETIO_INPUT
from flask_realtime.watching.socketwire import (
    JOIN_BYTES,
    SHARE_BYTES,
    SocketWire,
    SocketWires,
    Turns,
)

ANNOUNCING = b'\x81\x0b451-1["a",'
LARGE = b"\x82\x7f" + bytes(JOIN_BYTES)


class Connection:
    """A socket that keeps what it is sent, and gives what it was given."""

    def __init__(self, *received: bytes) -> None:
        self.received = list(received)
        self.sent: list[bytes] = []
        self.timeout: float | None = None

    def recv(self, size: int) -> bytes:
        if not self.received:
            return b""
        data = self.received[0][:size]
        self.received[0] = self.received[0][size:]
        if not self.received[0]:
            del self.received[0]
        return data

    def sendall(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds


def wire(connection: Connection) -> SocketWire:
    return SocketWire(connection, Turns(1 << 20))


def test_the_parts_of_frames_come_from_one_read() -> None:
    connection = Connection(b"abcdefgh", b"ij")
    made = wire(connection)
    assert made.recv(2) == b"ab"
    assert len(connection.received) == 1
    assert [made.recv(4), made.recv(10), made.recv(10), made.recv(1)] == [
        b"cdef",
        b"gh",
        b"ij",
        b"",
    ]


def test_a_long_frame_is_read_in_long_pieces() -> None:
    connection = Connection(bytes(100_000))
    assert len(wire(connection).recv(50_000)) == 50_000


def test_what_announces_an_attachment_goes_out_with_it() -> None:
    connection = Connection()
    made = wire(connection)
    made.sendall(ANNOUNCING)
    assert connection.sent == []
    made.sendall(b"\x82\x01x")
    assert connection.sent == [ANNOUNCING + b"\x82\x01x"]
    for text in (b"\x81\x012", b'\x81\x0742["a"]', b"\x82\x0245", b"\x88\x00"):
        made.sendall(text)
        assert connection.sent[-1] == text


def test_long_texts_that_announce_are_held_as_well() -> None:
    connection = Connection()
    made = wire(connection)
    long = b"\x81\x7e\x01\x0046" + bytes(254)
    made.sendall(long)
    made.sendall(LARGE)
    assert connection.sent == [long, LARGE]


def test_everything_else_is_the_sockets() -> None:
    connection = Connection()
    wire(connection).settimeout(3)
    assert connection.timeout == 3


def test_the_end_of_a_connection_that_has_ended_is_no_fault() -> None:
    ours, theirs = socket.socketpair()
    made = SocketWire(ours, Turns(1 << 20))
    made.shutdown(socket.SHUT_WR)
    assert theirs.recv(1) == b""
    for each in (ours, theirs):
        each.close()
    made.shutdown(socket.SHUT_WR)


def test_what_came_with_the_request_is_read_first_and_its_file_let_go_of() -> None:
    head = io.BytesIO(b"early")
    made = SocketWire(Connection(b"late"), Turns(1 << 20), head)
    assert [made.recv(3), made.recv(9)] == [b"ear", b"ly"]
    assert head.closed
    assert made.recv(9) == b"late"


def test_those_who_write_much_take_turns() -> None:
    written: list[tuple[int, int]] = []
    hub_turns = 0
    turns = Turns(2 * SHARE_BYTES)

    class Counting(Connection):
        def sendall(self, data: bytes) -> None:
            written.append((hub_turns, len(data)))

    def count() -> None:
        nonlocal hub_turns
        while len(written) < 8 * frames:
            host.sleep(0)
            hub_turns += 1

    def write() -> None:
        made = SocketWire(Counting(), turns)
        for _ in range(frames):
            made.sendall(LARGE)

    frames = 1 + SHARE_BYTES // len(LARGE)  # one viewer's share
    tasks = [host.spawn(count), *(host.spawn(write) for _ in range(8))]
    for task in tasks:
        task.wait()
    for turn in {turn for turn, _ in written}:
        assert sum(size for at, size in written if at == turn) <= 3 * SHARE_BYTES
    assert len({turn for turn, _ in written}) >= 3


def test_turns_are_given_in_the_order_in_which_they_are_asked_for() -> None:
    turns = Turns(1)
    order: list[int] = []

    def take(number: int) -> None:
        turns.take(1)
        order.append(number)

    for task in [host.spawn(take, number) for number in range(5)]:
        task.wait()
    assert order == [0, 1, 2, 3, 4]


class Input:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rfile = io.BytesIO()

    def get_socket(self) -> Connection:
        return self._connection


def test_only_websockets_below_the_path_get_a_wire_and_none_compression() -> None:
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(dict(environ))
        return []

    middleware = SocketWires(application, "/socket.io")
    for path, upgrade in (("/socket.io/", "websocket"), ("/socket.io/", ""), ("/", "websocket")):
        environ: dict[str, Any] = {
            "PATH_INFO": path,
            "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate",
            INPUT: Input(Connection()),
            SOCKETIO_INPUT: Input(Connection()),
        }
        if upgrade:
            environ["HTTP_UPGRADE"] = upgrade
        list(middleware(environ, lambda *args: lambda data: None))
        assert isinstance(environ[INPUT], Input), "the server's own stays as it is"
    sockets = [environ[SOCKETIO_INPUT].get_socket() for environ in seen]
    assert [isinstance(each, SocketWire) for each in sockets] == [True, False, False]
    assert "HTTP_SEC_WEBSOCKET_EXTENSIONS" not in seen[0]
    assert "HTTP_SEC_WEBSOCKET_EXTENSIONS" in seen[2]
