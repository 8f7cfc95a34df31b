"""The examples, and programs that were written for Flask-Sockets and flask-sock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError

from tests.sockets.serving import Serving
from tests.support.loggedprocess import ROOT

# The program as it stands, as the main program; only the port is any that is free.
RUN = """
import runpy, sys
from flask_realtime import Realtime, run
Realtime.run.__defaults__ = ("127.0.0.1", 0)
run.__defaults__ = (0, "127.0.0.1")
runpy.run_path(sys.argv[1], run_name="__main__")
"""

Start = Callable[[str], Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an example, given its name; its data are in a folder of the test."""
    running: list[Serving] = []

    def start(name: str) -> Serving:
        program = tmp_path / name
        program.write_bytes((ROOT / "examples" / name).read_bytes())
        running.append(Serving(tmp_path, ["-c", RUN, str(program)]))
        return running[-1]

    yield start
    for each in running:
        each.stop()
        assert "Traceback" not in each.log


@pytest.mark.parametrize("name", ["flask_sockets_route.py", "flask_sockets_blueprint.py"])
def test_the_programs_of_flask_sockets_run(start: Start, name: str) -> None:
    served = start(name)
    assert served.get("/").text == "Hello World!"
    with served.connect("/echo", origin=served.origin) as client:
        for message in ["text", b"bytes"]:
            client.send(message)
            assert client.recv(timeout=60) == message
        client.send("the last one")
    with served.connect("/echo") as client:
        client.send("again")
        assert client.recv(timeout=60) == "again"


def test_the_chat_knows_its_visitors_and_hands_messages_on(start: Start) -> None:
    served = start("sockets.py")
    host = f"localhost:{served.port}"
    page = served.get("/", headers={"Host": host})
    assert "new WebSocket" in page.text
    cookie = {"Cookie": f"session={page.cookies['session']}"}
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                served.connect(f"/chat/{room}", additional_headers=cookie, origin=served.origin)
            )
            for room in ["lobby", "lobby", "attic"]
        ]
        for client, room in zip(clients, ["lobby", "lobby", "attic"], strict=True):
            assert client.recv(timeout=60) == f"welcome to {room}, this is your visit number 1"
        clients[0].send("hello")
        clients[2].send("anybody here?")
        assert [client.recv(timeout=60) for client in clients] == [
            "hello",
            "hello",
            "anybody here?",
        ]


def test_a_program_of_flask_sock_runs(tmp_path: Path) -> None:
    served = Serving(tmp_path, ["-m", "tests.sockets.sock_program"])
    try:
        with served.connect("/reverse", subprotocols=["v1"]) as client:
            assert client.subprotocol == "v1"
            client.send("abc")
            assert client.recv(timeout=60) == "cba"
            client.send("x" * 101)
            with pytest.raises(ConnectionClosedError):
                client.recv(timeout=60)
            assert client.close_code == 1009
        with served.connect("/part/inner") as client:
            root = f"ws://{served.address}"
            assert client.recv(timeout=60) == f"{root}/reverse {root}/part/inner"
            with pytest.raises(ConnectionClosedError):
                client.recv(timeout=60)
            assert (client.close_code, client.close_reason) == (3001, "that was all")
        with served.connect("/ends") as client:
            client.close(4002, "my own reason")
        assert served.said("ended with 4002 my own reason")
        assert "Traceback" not in served.log
    finally:
        served.stop()
