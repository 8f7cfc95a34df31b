"""Requests of `/` over so many connections, each at once after an answer: PORT CONNECTIONS SECONDS.

Prints the answers per second.
"""

import selectors
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
WARM_UP_SECONDS = 0.5


def main(port: int, connections: int, seconds: float) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ)
        client.send(REQUEST)
    begin = time.monotonic() + WARM_UP_SECONDS
    answers = 0
    while (now := time.monotonic()) < begin + seconds:
        for key, _ in selector.select(1):
            data = key.fileobj.recv(65536)
            if not data:
                sys.exit("a connection was closed")
            if data.endswith(b"Hello World"):
                answers += now >= begin
                key.fileobj.send(REQUEST)
    print(answers / seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
