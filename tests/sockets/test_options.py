"""Mistakes in options and routes are told when they are made."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask

from flask_realtime import ConfigurationError, Sock, Sockets
from flask_realtime.sockets.options import SocketOptions


def handler(ws) -> None:
    ws.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ping": 3}, "no option 'ping'; there are max_message_size"),
        ({"max_message_size": 0}, "max_message_size must be above 0, not 0"),
        ({"ping_interval": -1}, "ping_interval must be above 0, not -1"),
        ({"origins": ["example.com"]}, "'example.com' is not an origin"),
        ({"origins": "https://example.com/path"}, "is not an origin"),
    ],
)
def test_a_wrong_option_is_a_clear_error(options, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Sockets(Flask(__name__), **options)


def test_a_wrong_option_of_a_route_is_a_clear_error() -> None:
    sockets = Sockets(Flask(__name__))
    with pytest.raises(ConfigurationError, match="max_message_size must be above 0"):
        sockets.route("/x", max_message_size=-5)(handler)


def test_a_coroutine_is_refused() -> None:
    async def late(ws) -> None:
        ws.close()

    with pytest.raises(ConfigurationError, match="'late' is a coroutine"):
        Sockets(Flask(__name__)).route("/x")(late)


def test_a_blueprint_needs_an_application() -> None:
    with pytest.raises(ConfigurationError, match="call init_app"):
        Sockets().register_blueprint(Blueprint("b", __name__))
    with pytest.raises(ConfigurationError, match="has no handler"):
        Sockets(Flask(__name__)).add_url_rule("/x")


def test_the_decorator_returns_the_function() -> None:
    assert Sockets(Flask(__name__)).route("/x")(handler) is handler
    assert Sock().route("/x")(handler) is handler


def test_routes_may_come_before_the_application_and_after_it() -> None:
    for made in (Sockets(), Sock()):
        app = Flask(__name__)
        made.route("/early/<name>")(handler)
        made.init_app(app)
        made.add_url_rule("/late", "late", handler)
        rules = {rule.rule: rule for rule in app.url_map.iter_rules() if rule.websocket}
        assert set(rules) == {"/early/<name>", "/late"}


def test_a_page_and_a_socket_may_have_one_name() -> None:
    app = Flask(__name__)
    Sockets(app).route("/x")(handler)
    app.route("/x")(handler)
    assert {rule.endpoint for rule in app.url_map.iter_rules("handler")} == {"handler"}


def test_another_server_is_told_of_in_one_sentence() -> None:
    app = Flask(__name__)
    app.testing = True
    Sockets(app).route("/x")(handler)
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with pytest.raises(RuntimeError, match="to be served by flask_realtime"):
        app.test_client().get("/x", headers=headers)


def test_the_nearest_option_wins() -> None:
    general = SocketOptions().changed({"ping_interval": 5, "subprotocols": "one"})
    chosen = general.changed({"subprotocols": ["two", "three"], "max_message_size": None})
    assert chosen.ping_interval == 5
    assert chosen.subprotocols == ("two", "three")
    assert chosen.max_message_size is None
    assert chosen.changed({"thread_class": object, "event_class": None}) == chosen


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "expected"),
    [
        (None, "http", "a.example", True),
        ("http://a.example", "ws", "a.example", True),
        ("http://a.example:80", "http", "a.example", True),
        ("https://a.example", "wss", "A.example:443", True),
        ("http://[::1]:5000", "http", "[::1]:5000", True),
        ("https://a.example", "http", "a.example", False),
        ("http://a.example:81", "http", "a.example", False),
        ("http://a.example", "http", None, False),
        ("http://a.example http://b.example", "http", "a.example", False),
        ("null", "http", "null", False),
    ],
)
def test_own_origins(origin, scheme: str, host, expected: bool) -> None:
    assert SocketOptions().admits(origin, scheme, host) is expected
