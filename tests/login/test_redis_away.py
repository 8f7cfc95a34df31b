"""Logins while Redis is away, dies or hangs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox


def test_redis_restarted_between_authorize_and_callback(
    start_server: Callable[..., Server], sandbox: Sandbox
) -> None:
    server = start_server()
    with Visitor(server, sandbox) as visitor:
        back = visitor.come_back()
        server.kill_redis()

        def completed() -> bool:
            response = visitor.open(back)
            assert response.status_code in (302, 503), response.text
            if response.status_code == 503:
                assert "nothing was changed" in response.text.replace("\n", " ")
            return response.status_code == 302

        eventually(completed)
        assert visitor.user is not None


def test_redis_hangs_when_the_code_is_used_already(
    start_server: Callable[..., Server], sandbox: Sandbox
) -> None:
    """The same address cannot be opened once more: the user is told to log in again."""
    server = start_server()
    webex, redis = psutil.Process(sandbox.pid), server.redis_process()
    with Visitor(server, sandbox) as visitor, server.redis_client() as client:
        back = visitor.come_back("ada", "/login?next=/runs/x")
        with ThreadPoolExecutor(1) as pool:
            webex.suspend()
            try:
                answer = pool.submit(visitor.open, back)
                eventually(lambda: not list(client.scan_iter("*:login_state*")))
                redis.suspend()
            finally:
                webex.resume()
            try:
                response = answer.result()
            finally:
                redis.resume()
        assert response.status_code == 503
        assert "Log in again in a moment" in response.text
        assert "/login?next=/runs/x" in response.text
        eventually(lambda: server.get("/readyz").status_code == 200)
        assert visitor.open(back).status_code == 400
        visitor.log_in()


def test_redis_away(start_server: Callable[..., Server], sandbox: Sandbox) -> None:
    server = start_server()
    with Visitor(server, sandbox) as visitor, Visitor(server, sandbox) as stranger:
        visitor.log_in()
        user = visitor.user
        redis = server.redis_process()
        redis.suspend()
        try:
            eventually(lambda: server.get("/readyz").status_code == 503)
            assert visitor.user == user  # as far as this server knows
            assert stranger.open("/login").status_code == 503
        finally:
            redis.resume()
        eventually(lambda: server.get("/readyz").status_code == 200)
        assert visitor.user == user
