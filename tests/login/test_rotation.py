"""Keys are replaced while users are logged in, as docs/operations.md says: nobody notices."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from redis import Redis
from redis.exceptions import AuthenticationError, ConnectionError

from flask_realtime.store.redisbinary import find_binary
from tests.support.logins import integration
from tests.support.patience import eventually
from tests.support.server import Server, free_port
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox

OLD_SECRET, NEW_SECRET = "invented-old-secret-key-" * 2, "invented-new-secret-key-" * 2
OLD_KEY, NEW_KEY = (Fernet.generate_key().decode() for _ in range(2))
OLD_PASSWORD, NEW_PASSWORD = "invented-old-password", "invented-new-password"


def again(server: Server, **settings: str) -> None:
    """Restart the server with other settings."""
    server.stop()
    server._environ.update(settings)
    server.start()


def test_a_session_key_is_replaced(start_server: Callable[..., Server], sandbox: Sandbox) -> None:
    server = start_server(SECRET_KEY=OLD_SECRET)
    with Visitor(server, sandbox) as before, Visitor(server, sandbox) as after:
        before.log_in()
        # The new one is known everywhere before anybody signs with it.
        again(server, SECRET_KEY=OLD_SECRET, SECRET_KEY_FALLBACKS=NEW_SECRET)
        assert before.user is not None
        again(server, SECRET_KEY=NEW_SECRET, SECRET_KEY_FALLBACKS=OLD_SECRET)
        assert before.user is not None
        assert before.ended(before.start_run("greet"))["state"] == "succeeded"
        after.log_in("cora")
        again(server, SECRET_KEY=NEW_SECRET, SECRET_KEY_FALLBACKS="")
        assert before.user is None  # once no login is older than the change, nobody is left
        assert after.user is not None


def test_the_key_of_the_tokens_is_replaced(
    start_server: Callable[..., Server], sandbox: Sandbox
) -> None:
    server = start_server(TOKEN_KEYS=OLD_KEY)
    with Visitor(server, sandbox) as before, Visitor(server, sandbox) as after:
        before.log_in()
        for keys in (f"{OLD_KEY},{NEW_KEY}", f"{NEW_KEY},{OLD_KEY}"):
            again(server, TOKEN_KEYS=keys)
            assert "1 times" in before.output(_called(before))
        after.log_in("cora")
        again(server, TOKEN_KEYS=NEW_KEY)
        assert "1 times" in after.output(_called(after))
        assert before.run_record(_called(before))["state"] == "failed"  # it was not renewed since


def _called(visitor: Visitor) -> str:
    run = visitor.start_run("calls")
    visitor.ended(run)
    return run


@pytest.fixture
def redis_with_password(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis whose password is OLD_PASSWORD."""
    port = free_port()
    folder = tmp_path / "passworded"
    folder.mkdir()
    command = [str(find_binary()), "--port", str(port), "--dir", str(folder), "--save", ""]
    command += ["--bind", "127.0.0.1", "--requirepass", OLD_PASSWORD]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with Redis(port=port, password=OLD_PASSWORD) as client:
            eventually(lambda: _answers(client))
        yield port
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except ConnectionError:
        return False


def test_the_password_of_redis_is_replaced_under_a_run(
    redis_with_password: int, tmp_path: Path, sandbox: Sandbox
) -> None:
    url = f"redis://127.0.0.1:{redis_with_password}/0"
    shared = {"REDIS_URL": url, "SECRET_KEY": OLD_SECRET, "TOKEN_KEYS": OLD_KEY}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first = integration(sandbox, REDIS_PASSWORD=OLD_PASSWORD, **shared)
    second = integration(sandbox, REDIS_PASSWORD=NEW_PASSWORD, **shared)
    with (
        Redis(port=redis_with_password, password=OLD_PASSWORD) as operator,
        Server(folders[0], **first) as one,
        Visitor(one, sandbox) as visitor,
    ):
        visitor.log_in()
        run = visitor.start_run("until_stopped")
        operator.execute_command("ACL", "SETUSER", "default", f">{NEW_PASSWORD}")
        with Server(folders[1], **second) as two:  # a node that has the new one already
            # Two servers of one host: the cookie of the first is for the second as well.
            assert two.get(f"/api/runs/{run}", cookies=visitor.cookies).status_code == 200
            operator.execute_command("ACL", "SETUSER", "default", f"<{OLD_PASSWORD}")
            # Connections that there are stay; this node is the one to be restarted next.
            visitor.stop_run(run)
            assert visitor.ended(run)["state"] == "stopped"
            last = visitor.start_run("greet")
            assert visitor.ended(last)["state"] == "succeeded"
            path = f"/api/runs/{last}"
            eventually(lambda: two.get(path, cookies=visitor.cookies).json()["ended"])
    with (
        Redis(port=redis_with_password, password=OLD_PASSWORD) as late,
        pytest.raises(AuthenticationError),
    ):
        late.ping()
