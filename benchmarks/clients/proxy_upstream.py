"""The app server of benchmarks/proxy.py: one thread, epoll, prepared answers; prints its port.

It echoes WebSocket messages of 1 KB, and answers /small with 64 bytes, /big with 1 MB, /sink once
it has taken a body, /bytes/N with N bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import select
import socket

MESSAGE_IN = 8 + 1024  # a masked frame with its head
MESSAGE_OUT = b"\x82\x7e\x04\x00" + bytes(1024)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SMALL = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + bytes(64)
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + bytes(1 << 20)
PIECE = bytes(1 << 18)


class Peer:
    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.is_websocket = False
        self.received = bytearray()
        self.count = 0  # bytes of a frame that is not whole
        self.sink = 0  # bytes of a body that are still to come
        self.unsent: memoryview = memoryview(b"")
        self.more = 0  # bytes to be made up after them

    def take(self, data: bytes) -> None:
        if self.sink:
            self.sink -= len(data)
            if not self.sink:
                self.send(SMALL)
            return
        if self.is_websocket:
            self.count += len(data)
            messages, self.count = divmod(self.count, MESSAGE_IN)
            if messages:
                self.send(MESSAGE_OUT * messages)
            return
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.received[:end])
            del self.received[: end + 4]
            self.answer(head)

    def answer(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if key := re.search(rb"(?i)sec-websocket-key: *(\S+)", head):
            accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
            self.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self.is_websocket = True
        elif path.endswith(b"/big"):
            self.send(BIG)
        elif path.endswith(b"/sink"):
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            self.sink = int(length[1]) if length else 0
            self.sink -= len(self.received)
            self.received.clear()
        elif found := re.search(rb"/bytes/(\d+)$", path):
            self.more = int(found[1])
            self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.more)
        else:
            self.send(SMALL)

    def send(self, data: bytes) -> None:
        self.unsent = memoryview(bytes(self.unsent) + data)
        self.flush()

    def flush(self) -> None:
        try:
            while self.unsent or self.more:
                if not self.unsent:
                    self.unsent = memoryview(PIECE)[: self.more]
                    self.more -= len(self.unsent)
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            pass


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    peers: dict[int, Peer] = {}
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    while True:
        for number, event in epoll.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[connection.fileno()] = Peer(connection)
                epoll.register(connection, select.EPOLLIN)
                continue
            peer = peers[number]
            try:
                if event & select.EPOLLOUT:
                    peer.flush()
                if event & select.EPOLLIN:
                    if not (data := peer.socket.recv(1 << 18)):
                        raise ConnectionError
                    peer.take(data)
            except OSError:
                epoll.unregister(number)
                peers.pop(number).socket.close()
                continue
            wanted = select.EPOLLOUT if peer.unsent or peer.more else 0
            epoll.modify(number, select.EPOLLIN | wanted)


if __name__ == "__main__":
    main()
