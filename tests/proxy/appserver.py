"""An app server for the supervisor's tests: appserver.py PORT|SOCKET [WORD...]; see `main`."""

from __future__ import annotations

import json
import os
import signal
import socketserver
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.endswith("/die"):
            os._exit(3)
        body = str(os.getpid()).encode()
        if self.path.endswith("/environ"):
            body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "visitor"

    def log_message(self, format: str, *args: object) -> None:
        print("answered", self.path, flush=True)


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main() -> None:
    """Words: "children" leaves two behind in sessions of their own, "stubborn" ignores SIGTERM,
    "slow" takes a second, "exit" ends at once, "never" never listens, "flood" prints 1 GB."""
    place, words = sys.argv[1], sys.argv[2:]
    print("started with", *words, flush=True)
    if "exit" in words:
        sys.exit(7)
    if "children" in words:
        for _ in range(2):
            subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(600)", "grandchild"],
                start_new_session=True,
            )
    if "stubborn" in words:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "slow" in words:
        time.sleep(1)
    while "never" in words:
        time.sleep(600)
    if "flood" in words:
        line = b"x" * 65535 + b"\n"
        for _ in range(1 << 14):
            os.write(1, line)
    kind = TcpServer if place.isdigit() else UnixServer
    with kind(("127.0.0.1", int(place)) if place.isdigit() else place, Handler) as server:  # type: ignore[arg-type]
        server.serve_forever()


if __name__ == "__main__":
    main()
