"""A WSGI application with all kinds of answers, and how they are read."""

from __future__ import annotations

SERVE = """
class Parts:
    def __init__(self, parts, name):
        self.parts, self.name = iter(parts), name

    def __iter__(self):
        return self

    def __next__(self):
        part = next(self.parts)
        if isinstance(part, BaseException):
            raise part
        return part

    def close(self):
        print("closed " + self.name, flush=True)
        if self.name == "bad":
            raise LookupError("close")

TEXT = ("Content-Type", "text/plain")

def length(number):
    return ("Content-Length", str(number))

HEADS = {
    "/list": ("200 OK", [TEXT]),
    "/stream": ("200 OK", [TEXT]),
    "/empty": ("200 OK", [TEXT]),
    "/sized": ("200 OK", [TEXT, length(6)]),
    "/longer": ("200 OK", [TEXT, length(4)]),
    "/longer-at-once": ("200 OK", [TEXT, length(2)]),
    "/shorter": ("200 OK", [TEXT, length(9)]),
    "/none-at-all": ("200 OK", [TEXT, length(9)]),
    "/no-content": ("204 No Content", [length(6)]),
    "/not-modified": ("304 Not Modified", [TEXT, length(6)]),
    "/closing": ("200 OK", [TEXT, ("connection", "Close")]),
    "/keeping": ("200 OK", [TEXT, ("Connection", "keep-alive"), ("Keep-Alive", "timeout=9")]),
    "/coded": ("200 OK", [TEXT, ("Transfer-Encoding", "chunked")]),
    "/split-value": ("200 OK", [("X-A", "1\\r\\nSet-Cookie: a=1")]),
    "/split-feed": ("200 OK", [("X-A", "1\\n\\nHTTP/1.1 200 OK")]),
    "/split-name": ("200 OK", [("X-A: 1\\r\\nX-B", "2")]),
    "/split-status": ("200 OK\\r\\nX-B: 2", [TEXT]),
    "/no-latin": ("200 OK", [("X-A", "\\u20ac")]),
    "/gzip": ("200 OK", [("Transfer-Encoding", "gzip")]),
    "/lengths": ("200 OK", [length(6), length(7)]),
    "/interim": ("103 Early Hints", []),
    "/fails": ("200 OK", [TEXT]),
    "/exits": ("200 OK", [TEXT]),
    "/fails-at-once": ("200 OK", [TEXT]),
    "/text": ("200 OK", [TEXT, length(6)]),
    "/bad": ("200 OK", [TEXT, length(6)]),
}
PARTS = {
    "/list": [b"one", b"", b"two"],
    "/empty": [],
    "/none-at-all": [],
    "/longer-at-once": [b"onetwo"],
    "/fails": [b"one", LookupError("on purpose"), b"two"],
    "/exits": [b"one", SystemExit(3), b"two"],
    "/fails-at-once": [LookupError("on purpose")],
    "/text": ["onetwo"],
}

def plain(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"]
    if path == "/echo":
        start_response("200 OK", [TEXT])
        return [body.read()]
    if path == "/writes":
        write = start_response("200 OK", [TEXT])
        write(b"")
        write(b"one")
        write(b"two")
        return Parts([b"three"], "writes")
    if path == "/writes-too-early":
        return Parts([b"one"], "early")
    if path == "/raises":
        raise LookupError("on purpose")
    if path == "/exits-at-once":
        raise SystemExit(3)
    if path in ("/again", "/again-with-fault", "/again-too-late"):
        write = start_response("200 OK", [TEXT])
        fault = None
        if path != "/again":
            if path == "/again-too-late":
                write(b"one")
            try:
                raise LookupError("on purpose")
            except LookupError:
                fault = sys.exc_info()
        start_response("503 Service Unavailable", [TEXT], fault)
        return [b"twice"]
    parts = PARTS.get(path, [b"one", b"two"])
    if path == "/late":
        def late():
            start_response("200 OK", [TEXT, length(6)])
            yield from parts
        return late()
    start_response(*HEADS[path])
    return parts if path in ("/list", "/closing") else Parts(parts, path[1:])

Server(plain, limits=Limits(max_body_bytes=100, idle_seconds=20)).run(0)
"""
KEEP = "Connection: Keep-Alive\r\n"
AGAIN = b"GET /list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def request(path: str, method: str = "GET", version: str = "1.1", more: str = "") -> bytes:
    return f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n{more}\r\n".encode()


def split(answer: bytes) -> tuple[bytes, dict[str, list[str]], bytes]:
    """The status line, the fields by their names in lower case, and what comes behind."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields.setdefault(name.lower(), []).append(value)
    return status.encode(), fields, rest


def second(answer: bytes) -> bytes:
    """What was answered to AGAIN, which has to be the last and whole."""
    begin = answer.rindex(b"HTTP/1.1 200 OK\r\n")
    _, fields, body = split(answer[begin:])
    assert (fields["content-length"], body) == (["6"], b"onetwo"), answer
    return answer[:begin]
