"""The load of benchmarks/proxy.py: PORT PATH KIND CONNECTIONS SECONDS; prints times as JSON.

Each connection sends, waits for the whole answer, and sends again. KIND: ws (messages of 1 KB),
small, big.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

MESSAGE = b"\x82\xfe\x04\x00\0\0\0\0" + bytes(1024)
ANSWER_BYTES = 4 + 1024


class Peer:
    def __init__(self, port: int, path: str, kind: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = MESSAGE
        self.left = 0
        self.head = b""
        self.is_http = kind != "ws"
        lines = [f"Host: 127.0.0.1:{port}"]
        if self.is_http:
            self.request = "\r\n".join([f"GET {path}{kind} HTTP/1.1", *lines, "", ""]).encode()
        else:
            self.shake_hands(f"GET {path}ws HTTP/1.1", lines)
        self.socket.setblocking(False)

    def shake_hands(self, first: str, lines: list[str]) -> None:
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines.append("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        self.socket.sendall("\r\n".join([first, *lines, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head

    def send(self) -> None:
        self.began = time.perf_counter()
        self.left = 0 if self.is_http else ANSWER_BYTES
        self.socket.send(self.request)

    def received(self, data: bytes) -> bool:
        """Whether the answer is whole."""
        if self.left:
            self.left -= len(data)
            return not self.left
        self.head += data
        end = self.head.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self.head[:end].lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        self.left = length - (len(self.head) - end - 4)
        self.head = b""
        return not self.left


def main() -> None:
    port, path, kind, count, seconds = sys.argv[1:]
    peers = {}
    epoll = select.epoll()
    for _ in range(int(count)):
        peer = Peer(int(port), path, kind)
        peers[peer.socket.fileno()] = peer
        epoll.register(peer.socket, select.EPOLLIN)
    times: list[float] = []
    for peer in peers.values():
        peer.send()
    end = time.perf_counter() + float(seconds)
    while (now := time.perf_counter()) < end:
        for number, _ in epoll.poll(1):
            peer = peers[number]
            data = peer.socket.recv(1 << 20)
            assert data, "hung up"
            if peer.received(data):
                now = time.perf_counter()
                times.append(now - peer.began)
                peer.send()
    print(json.dumps([round(each, 7) for each in times]))


if __name__ == "__main__":
    main()
