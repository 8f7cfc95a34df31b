"""An app server for tests that says little: its argument is the port of 127.0.0.1."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><title>Greeter</title><h1>The greeter is here</h1>"
READY = "/ready"  # what the supervisor asks for; nothing is printed


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != READY:
            print(f"asked for {self.path}", flush=True)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(
            PAGE
        )
        self.wfile.write(head + PAGE)  # at once: who asks whether it is ready reads no more

    def log_message(self, *words: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print("The greeter begins", flush=True)
    server.serve_forever()
