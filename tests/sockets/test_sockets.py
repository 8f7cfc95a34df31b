"""What a handler has, and how its connection ends, over http and https."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.sockets.serving import Serving


def end(client) -> tuple[int, str]:
    """The code and the reason that the server closes with."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=60)
    assert client.close_code is not None
    return client.close_code, client.close_reason or ""


def status(served: Serving, path: str, **options) -> int:
    """The status that an upgrade is refused with."""
    with pytest.raises(InvalidStatus) as caught:
        served.connect(path, **options)
    code: int = caught.value.response.status_code
    return code


def test_text_and_binary_come_back_in_kind(served: Serving) -> None:
    with served.connect("/echo") as client:
        for message in ["text", b"bytes", "", b"", "κόσμε", b"\xff" * 100_000, "x" * 3_000_000]:
            client.send(message)
            assert client.recv(timeout=60) == message


def test_a_handler_has_the_url_the_session_and_cookies(served: Serving) -> None:
    answer = served.get("/login/ada")
    assert answer.text == "logged in"
    cookies = f"colour=red; session={answer.cookies['session']}"
    with served.connect("/greet/bob/3", additional_headers={"Cookie": cookies}) as client:
        assert client.recv(timeout=60) == "bob 3 ada red before_request ran"
    assert served.said("teardown of /greet/bob/3")


def test_an_ordinary_route_works_at_the_same_url(served: Serving) -> None:
    assert served.get("/echo").text == "an ordinary page"
    with served.connect("/echo") as client:
        client.send("x")
        assert client.recv(timeout=60) == "x"


def test_a_blueprint_has_its_prefix_its_hooks_and_its_names(served: Serving) -> None:
    with served.connect("/blue/echo/eve") as client:
        client.send("hello")
        assert client.recv(timeout=60) == "eve: hello blue blue.blue_echo"


def test_what_is_not_there_is_refused_with_a_status(served: Serving) -> None:
    assert status(served, "/nowhere") == 404
    assert status(served, "/greet/bob/no-number") == 404
    assert status(served, "/page-only") == 400
    assert status(served, "/echo?refuse") == 401
    assert served.get("/greet/bob/3").status_code == 400


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": "x"}, 426),
        ({"Sec-WebSocket-Version": None}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Host": "two names"}, 400),
        ({"Content-Length": "5"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
        ({"Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=x"}, 101),
        ({"Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=99"}, 101),
        ({"Sec-WebSocket-Extensions": ";;;, ,"}, 101),
        ({"Sec-WebSocket-Protocol": ",,"}, 101),
        ({"X-Latin": "\xe9"}, 101),
    ],
    ids=repr,
)
def test_handshakes_of_all_kinds_are_answered(served: Serving, headers, expected: int) -> None:
    sent = {
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    answer = served.get("/iterates", headers=sent, stream=True)
    assert answer.status_code == expected
    if expected == 426:
        assert answer.headers["Sec-WebSocket-Version"] == "13"
    if expected == 101:
        assert answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert "Sec-WebSocket-Extensions" not in answer.headers
    answer.close()


def test_other_methods_do_not_open_it(served: Serving) -> None:
    sent = {"Connection": "Upgrade", "Upgrade": "websocket"}
    verify = str(served.certificate) if served.certificate else True
    for method, expected in [("HEAD", 405), ("POST", 405), ("OPTIONS", 200)]:
        answer = requests.request(
            method, served.origin + "/echo", headers=sent, timeout=60, verify=verify
        )
        assert answer.status_code == expected, method


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/raises", (1011, "")),
        ("/aborts", (1008, "Forbidden")),
        ("/other-closed", (1011, "")),
        ("/closes/1000", (1000, "as asked")),
        ("/closes/1001", (1001, "as asked")),
        ("/closes/4321", (4321, "as asked")),
        ("/closes/1006", (1011, "")),
        ("/closes/5000", (1011, "")),
        ("/kinds", (1000, "")),
    ],
)
def test_each_end_has_its_code(served: Serving, path: str, expected: tuple[int, str]) -> None:
    with served.connect(path) as client:
        assert end(client) == expected


def test_what_a_handler_raises_is_logged(own: Serving) -> None:
    with own.connect("/raises") as client:
        end(client)
    assert own.said("ERROR:served:Exception on /raises [GET]") or own.log
    assert own.said("ValueError: the handler's own fault")
    with own.connect("/echo") as client:
        client.send("it lives on")
        assert client.recv(timeout=60) == "it lives on"
    assert own.log.count("Traceback") == 1


def test_sending_on_a_closed_socket_raises(served: Serving) -> None:
    with served.connect("/closes/4000") as client:
        end(client)
    assert served.said("send after close raised 4000")


def test_receive_gives_none_at_the_end_and_then_raises(served: Serving) -> None:
    with served.connect("/none") as client:
        client.close(4005, "enough")
    assert served.said("first None then 4005 enough")


def test_a_socket_can_be_iterated(served: Serving) -> None:
    with served.connect("/iterates") as client:
        for word in ["one", "two", "three"]:
            client.send(word)
    assert served.said("iterated one,two,three")


def test_receive_takes_a_timeout(served: Serving) -> None:
    with served.connect("/timeout") as client:
        assert client.recv(timeout=60) == "NoneNone"
        client.send("in time")
        assert client.recv(timeout=60) == "in time"


def test_kinds_of_data(served: Serving) -> None:
    with served.connect("/kinds") as client:
        got = [client.recv(timeout=60) for _ in range(5)]
    assert got == [b"a", b"b", "3", b"text", "bytes"]


def test_the_first_subprotocol_that_the_client_offers_is_chosen(served: Serving) -> None:
    for offered, chosen in [(["v1", "v2"], "v1"), (["v9", "v2"], "v2"), (["v9"], None)]:
        with served.connect("/small", subprotocols=offered) as client:
            assert client.subprotocol == chosen
            assert client.recv(timeout=60) == str(chosen)


def test_compression_is_agreed_on_without_a_kept_context(served: Serving) -> None:
    with served.connect("/echo") as client:
        agreed = client.response.headers["Sec-WebSocket-Extensions"]
        assert "client_no_context_takeover" in agreed
        assert "server_no_context_takeover" in agreed
        for size in (10, 300, 100_000, 300_000):
            client.send("abc" * size)
            assert client.recv(timeout=60) == "abc" * size
    for path, options in [("/plain", {}), ("/echo", {"compression": None})]:
        with served.connect(path, **options) as client:
            assert "Sec-WebSocket-Extensions" not in client.response.headers
            client.send("abc" * 1000)
            assert client.recv(timeout=60) == "abc" * 1000


def test_pages_of_other_sites_may_not_connect(served: Serving) -> None:
    port = served.port
    for origin in [
        "https://evil.example",
        "null",
        f"http://localhost:{port}",
        f"http://127.0.0.1:{port + 1}",
        f"http://127.0.0.1:{port}.evil.example",
        served.origin + "/",
        "",
    ]:
        headers = {"Origin": origin}
        assert status(served, "/echo", additional_headers=headers) == 403, origin
        with served.connect("/anybody", additional_headers=headers) as client:
            assert client.recv(timeout=60) == "hello"
    with served.connect("/echo", origin=served.origin) as client:
        client.send("own")
        assert client.recv(timeout=60) == "own"
    other = "http" if served.certificate else "https"
    assert status(served, "/echo", origin=f"{other}://{served.address}") == 403


def test_a_friend_may_connect(served: Serving) -> None:
    for origin in ["https://friend.example", "https://friend.example:443", served.origin]:
        with served.connect("/others", origin=origin) as client:
            assert client.recv(timeout=60) == "hello"
    for origin in ["http://friend.example", "https://a.friend.example", "https://friend.example.x"]:
        assert status(served, "/others", origin=origin) == 403


def test_flask_socks_programs_see_the_end_as_an_exception(served: Serving) -> None:
    before = served.log.count("Traceback")
    with served.connect("/sock/echo/ann") as client:
        client.send("hello")
        assert client.recv(timeout=60) == "ann hello"
    assert served.said("sock echo ended with 1000")
    assert served.log.count("Traceback") == before


def test_messages_of_one_reach_the_whole_crowd(served: Serving) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(served.connect("/crowd")) for _ in range(5)]
        for client in clients:  # who has heard itself is in
            client.send("ready")
            client.recv(timeout=60)
        for number, client in enumerate(clients):
            client.send(f"from {number}")
        for client in clients:
            got: set[str] = set()
            while not {f"from {n}" for n in range(5)} <= got:
                got.add(client.recv(timeout=60))


def test_frames_of_many_senders_are_not_mixed(served: Serving) -> None:
    with served.connect("/many-senders", compression=None) as client:
        got = [client.recv(timeout=60) for _ in range(8)]
        assert end(client)[0] == 1000
    assert got == [letter * 100_000 for letter in "abcdefgh"]


def test_all_can_be_closed_at_once(own: Serving) -> None:
    with ExitStack() as stack:
        paths = ["/echo", "/iterates", "/pushes"]
        clients = [stack.enter_context(own.connect(path)) for path in paths]
        assert own.get("/close-all").text == "True"
        for client in clients:
            assert end(client) == (1001, "the server stops")
    assert own.get("/count").text == "0"


def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    served = Serving(tmp_path, ["-m", "tests.sockets.served"])
    try:
        with ExitStack() as stack:
            paths = ["/echo", "/pushes", "/sock/echo/x"]
            clients = [stack.enter_context(served.connect(path)) for path in paths]
            served.stop()
            for client in clients:
                assert end(client) == (1001, "the server stops")
        assert "Traceback" not in served.log
    finally:
        served.stop()
