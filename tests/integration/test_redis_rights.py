"""Servers whose user of Redis has the rights that the documentation names, and no others."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet

from app.login.logins import Account, Logins
from app.login.tokens import TokenCipher, Tokens
from flask_realtime.store import keys
from flask_realtime.store.redisclients import blocking_client
from flask_realtime.store.redislink import probe
from flask_realtime.store.schema import prepare_redis
from tests.support.loggedprocess import ROOT
from tests.support.pairs import numbered, pair_of_servers
from tests.support.patience import eventually
from tests.support.redisgroups import Group, free_ports
from tests.support.redisrights import documented_rule, refusals, with_user
from tests.support.server import Server


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with Group(tmp_path_factory.mktemp("redis")) as group:
        group.add(*free_ports(1), documented_rule())
        yield group


@pytest.fixture(scope="module")
def servers(
    redis: Group, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    url = with_user(f"redis://127.0.0.1:{redis.nodes[0].port}/0")
    # A little of all: small bounds make retention and the archive work as well.
    bounds = {"OUTPUT_HOT_MIB": "1", "OUTPUT_HOT_MINUTES": "0", "KEEP_RUNS": "2"}
    with pair_of_servers(tmp_path_factory.mktemp("servers"), url, **bounds) as pair:
        yield pair


def test_runs_their_history_search_and_removal_need_no_more(
    redis: Group, servers: tuple[Server, Server]
) -> None:
    one, other = servers
    lines = 60_000  # more than the hot window, so a part is archived
    run = one.start_run("numbered", lines=lines)
    assert other.ended(run)["state"] == "succeeded"
    assert other.output(run) == numbered(lines)
    found = other.get(f"/api/runs/{run}/search?q=0059999").json()
    assert found["matches"][0]["line"] == lines
    stopped = one.start_run("numbered", lines=10**9, pause_every=10)
    eventually(lambda: other.post(f"/api/runs/{stopped}/stop").status_code == 200)
    assert other.ended(stopped)["state"] == "stopped"
    for _ in range(2):
        other.ended(other.start_run("greet"))
    with redis.nodes[0].client() as client:  # so that nobody waits for the next turn to sweep
        eventually(lambda: client.delete(keys.SWEEPER) + 1 and len(history(one)) == 2)
        eventually(lambda: not client.exists(keys.record(run), keys.segments(run)))
    assert refusals(redis) == []


def history(server: Server) -> list[str]:
    return [run["id"] for run in server.get("/api/runs").json()["runs"]]


def test_logins_and_a_migration_need_no_more(redis: Group) -> None:
    url = with_user(f"redis://127.0.0.1:{redis.nodes[0].port}/1")
    recorded = json.loads((ROOT / "tests" / "recordings" / "redis-schema-1.json").read_text())
    with redis.nodes[0].client(db=1) as client:
        for name, data in recorded["keys"].items():
            client.restore(name, 100 if ":owner:" in name else 0, base64.b64decode(data))
    assert prepare_redis(url) > 20
    logins = Logins(TokenCipher([Fernet.generate_key().decode()]), "https://webex", seconds=60)
    account, tokens = Account("bob", "Bob", "bob@example.com"), Tokens("a", "b", None, None, None)
    with blocking_client(url) as client:
        session = logins.begin(client, account, tokens)
        assert logins.who(client, session) == account
        stored = logins.tokens(client, "bob")
        assert stored is not None
        assert logins.replace(client, "bob", stored.version, tokens)
        assert logins.end(client, "bob")
        assert logins.who(client, session) is None
        probe(client, keys.probe, 1)
    assert refusals(redis) == []
