"""A server, or ``flask realtime migrate`` before it, takes over what the version before left."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flask_realtime.redisserver import RedisServer
from flask_realtime.store import keys
from flask_realtime.store.schema import OLD
from flask_realtime.store.store import Store
from tests.support.loggedprocess import ROOT
from tests.support.server import Server, misconfigured

RECORDING = ROOT / "tests" / "recordings" / "redis-schema-1.json"
COMMAND = [sys.executable, "-m", "flask", "realtime", "migrate"]


@pytest.fixture
def recorded(store: Store, redis_server: RedisServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDING.read_text())
    with Redis.from_url(redis_server.url) as client:
        for name, data in found["keys"].items():
            if not name.startswith(OLD + "owner:"):
                client.restore(name, 0, base64.b64decode(data))
    return found


def test_a_server_shows_the_runs_of_the_version_before(
    recorded: dict[str, Any], redis_server: RedisServer, tmp_path: Path
) -> None:
    with Server(tmp_path, REDIS_URL=redis_server.url) as server:
        assert "keys of Redis were migrated to schema 2" in server.log
        assert server.ended(server.start_run("greet"))["state"] == "succeeded"
    with Redis.from_url(redis_server.url) as client:
        assert all(client.exists(keys.record(run)) for run in recorded["expected"]["runs"])
        assert client.get(keys.SCHEMA) == b"2"


def test_the_command_does_it_beforehand(
    recorded: dict[str, Any], redis_server: RedisServer
) -> None:
    said = []
    for _ in range(2):
        done = subprocess.run(
            COMMAND,
            cwd=ROOT,
            env={**os.environ, "REDIS_URL": redis_server.url},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    assert said[0].endswith("keys were migrated")
    assert said[1] == "all is up to date"


def test_data_of_a_later_version_are_one_line_and_exit_code_2(
    store: Store, redis_server: RedisServer
) -> None:
    store.call(lambda client: client.set(keys.SCHEMA, 3))
    code, said = misconfigured(REDIS_URL=redis_server.url)
    assert code == 2
    assert "a later version of Flask-Realtime wrote" in said
    assert "Traceback" not in said
