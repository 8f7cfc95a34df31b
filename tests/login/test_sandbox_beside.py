"""The sandbox that is started beside a server without an integration."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.patience import eventually
from tests.support.server import Server, misconfigured


@pytest.fixture
def sandboxed(tmp_path: Path) -> Server:
    return Server(tmp_path, LOGIN="webex", SANDBOX_SPACES="3", SANDBOX_MESSAGES="5")


def sandbox_process(server: Server) -> psutil.Process:
    (found,) = [
        child
        for child in psutil.Process(server.pid).children()
        if "webexsandbox" in child.cmdline()
    ]
    return found


@pytest.mark.parametrize("kill", [False, True])
def test_it_ends_with_the_server(sandboxed: Server, kill: bool) -> None:
    sandboxed.start()
    process = sandbox_process(sandboxed)
    url = re.findall(r"Webex sandbox at (http://127\.0\.0\.1:\d+): invented data", sandboxed.log)
    assert requests.get(f"{url[0]}/_control", timeout=60).json()["requests"] == 0
    if kill:
        redis = sandboxed.redis_process()
        sandboxed.kill()
        eventually(lambda: not redis.is_running())
    else:
        sandboxed.stop()
    eventually(lambda: not process.is_running())


def test_a_server_with_an_integration_has_none(tmp_path: Path) -> None:
    environ = {"CLIENT_ID": "invented", "CLIENT_SECRET": "invented-secret"}
    with Server(tmp_path, LOGIN="webex", **environ) as server:
        assert "sandbox" not in server.log
        children = psutil.Process(server.pid).children()
        assert not [child for child in children if "webexsandbox" in child.cmdline()]
        response = requests.get(server.url, timeout=60, allow_redirects=False)
        assert response.status_code == 302


def test_a_sandbox_is_no_login_for_other_machines() -> None:
    code, said = misconfigured(LOGIN="webex", HOST="0.0.0.0")
    assert code == 2
    assert said.startswith("HOST: '0.0.0.0' is wrong")
    assert said.count("\n") == 1


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "token_key").write_text("invented")
    (tmp_path / "token_key").chmod(0o644)
    code, said = misconfigured(LOGIN="webex", INSTANCE_PATH=str(tmp_path))
    assert code == 2
    assert "can be read by others (mode 644)" in said
