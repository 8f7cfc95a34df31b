"""What an older version left in Redis is brought up to our schema, or refused with one clear line.

The recording has the keys of a Redis over which a server of schema 1 ran, as DUMP gives them: jobs
that have ended, one that was running, one whose output is hot, and a login.
"""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from app.login.logins import Logins
from app.login.tokens import TokenCipher
from flask_realtime import history
from flask_realtime.archive import Archive, manifest
from flask_realtime.errors import ConfigurationError
from flask_realtime.history import Filter
from flask_realtime.outputlog import OutputLog
from flask_realtime.redisserver import RedisServer
from flask_realtime.registry import RunRegistry
from flask_realtime.retention import accounts
from flask_realtime.store import keys, schema
from flask_realtime.store.schema import OLD, new_name, prepare
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk

RECORDING = Path(__file__).parents[1] / "recordings" / "redis-schema-1.json"
OWNER = OLD + "owner:old-server-1"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDING.read_text())
    return found


@pytest.fixture
def redis(redis_server: RedisServer, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0.01)
    with Redis.from_url(redis_server.url) as client:
        yield client


def restore(client: Redis, recorded: dict[str, Any], *, owners: bool = False) -> None:
    for name, data in recorded["keys"].items():
        if owners or not name.startswith(OLD + "owner:"):
            client.restore(name, 0, base64.b64decode(data), replace=True)


def test_an_empty_redis_gets_our_version(redis: Redis, redis_server: RedisServer) -> None:
    assert prepare(redis_server.url) == 0
    assert redis.get(keys.SCHEMA) == b"2"
    assert redis.keys("*") == [keys.SCHEMA.encode()]
    assert prepare(redis_server.url) == 0


def test_all_that_the_older_version_kept_is_there_afterwards(
    redis: Redis, redis_server: RedisServer, store: Store, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    redis.set("of:another:program", 1)
    assert prepare(redis_server.url) > 20
    assert not redis.keys(OLD + "*")
    assert redis.exists("of:another:program")
    expected = recorded["expected"]
    registry = RunRegistry(store, lambda run: (0, 1))
    log = OutputLog(store, Archive("memory://migrated"))
    for run, said in expected["runs"].items():
        found = registry.get(run)
        assert (found.job, found.user, found.state) == (said["job"], said["user"], said["state"])
        assert log.stored_end(run)[0] == said["bytes"]
    listed, _ = registry.list(10, Filter("count", "bob"))
    assert [run.user for run in listed] == ["bob"]
    assert store.call(lambda client: history.count(client, history.ANY)) == 5
    for run, text in expected["outputs"].items():
        items = log.read(run, 0, 1 << 20)
        assert b"".join(i.data for i in items if isinstance(i, Chunk)) == text.encode()
    assert set(accounts.sizes(redis)) == {"count", "broken"}
    assert any(manifest.newest(redis, run) for run in expected["runs"])
    logins = Logins(
        TokenCipher([expected["token_key"]]), "https://webex.example/authorize", seconds=60
    )
    account = logins.who(redis, expected["session"])
    assert account is not None
    assert account.user == "ann"
    stored = logins.tokens(redis, "ann")
    assert stored is not None
    assert stored.tokens.access_token == "invented-access"
    assert logins.end(redis, "ann")
    assert logins.who(redis, expected["session"]) is None


def test_what_was_running_is_lost_for_nobody_owns_it(
    redis: Redis, redis_server: RedisServer, store: Store, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    prepare(redis_server.url)
    registry = RunRegistry(store, lambda run: (0, 1))
    alive = recorded["expected"]["alive"]
    assert registry.get(alive).state == "running"
    registry.sweep()
    assert registry.get(alive).state == "lost"


def test_a_migration_that_broke_off_goes_on(
    redis: Redis, redis_server: RedisServer, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    redis.set(keys.SCHEMA, 2)
    for name in list(recorded["keys"])[:12]:
        moved = new_name(name)
        if moved is not None and redis.exists(name):
            redis.rename(name, moved)
    redis.delete(keys.SCHEMA)
    assert prepare(redis_server.url) > 5
    assert not redis.keys(OLD + "*")


def test_what_an_older_server_added_after_a_migration_is_put_together(
    redis: Redis, redis_server: RedisServer, store: Store, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    prepare(redis_server.url)
    before = accounts.sizes(redis)
    redis.zadd(f"{OLD}runs:failed", {"0" * 24: 0})
    redis.hset(f"{OLD}outputs:bytes", "count", 7)
    redis.set(f"{OLD}{{{'0' * 24}}}:run", b"{}")
    assert prepare(redis_server.url) == 3
    assert accounts.sizes(redis) == {**before, "count": before["count"] + 7}
    assert redis.zcard(keys.index("failed")) == 2


def test_a_server_of_the_older_version_that_runs_is_told(
    redis: Redis, redis_server: RedisServer, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    redis.set(OWNER, 1, px=20_000)
    done = threading.Event()

    def renew() -> None:
        with Redis.from_url(redis_server.url) as client:
            while not done.wait(0.05):
                client.set(OWNER, 1, px=20_000)

    alive = threading.Thread(target=renew)
    alive.start()
    try:
        with pytest.raises(ConfigurationError) as refused:
            prepare(redis_server.url)
    finally:
        done.set()
        alive.join()
    (line,) = refused.value.lines
    assert "a server of an older version" in line
    assert "old-server-1" in line
    assert redis.exists(f"{OLD}active"), "nothing was moved"
    assert redis.get(keys.SCHEMA) is None


def test_one_that_was_killed_is_waited_for(
    redis: Redis, redis_server: RedisServer, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    redis.set(OWNER, 1, px=200)
    assert prepare(redis_server.url) > 20


def test_several_that_start_at_once_migrate_once(
    redis: Redis, redis_server: RedisServer, recorded: dict[str, Any]
) -> None:
    restore(redis, recorded)
    redis.set(OWNER, 1, px=300)
    renamed: list[int] = []
    starts = [
        threading.Thread(target=lambda: renamed.append(prepare(redis_server.url))) for _ in range(4)
    ]
    for each in starts:
        each.start()
    for each in starts:
        each.join()
    assert sorted(renamed)[:3] == [0, 0, 0]
    assert max(renamed) > 20
    assert not redis.exists(keys.MIGRATING)


def test_what_a_later_version_wrote_is_refused(redis: Redis, redis_server: RedisServer) -> None:
    redis.set(keys.SCHEMA, 3)
    with pytest.raises(ConfigurationError) as refused:
        prepare(redis_server.url)
    (line,) = refused.value.lines
    assert "schema 3; this version knows 2" in line
    assert redis.get(keys.SCHEMA) == b"3"
