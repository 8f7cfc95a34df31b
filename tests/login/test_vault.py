"""One renewal for all, on a real Redis: threads, processes, locks that are lost, logouts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from app.login import vault as vault_module
from app.login.errors import TokenRefused, TokenServiceUnavailable
from app.login.logins import Account, Logins
from app.login.tokens import TokenCipher, Tokens
from app.login.vault import LoginOver, TokenVault
from flask_realtime.redisserver import RedisServer

ADA = Account("ada", "Ada Example", "ada@sandbox.example")
KEY = Fernet.generate_key().decode()


class Clock:
    """Seconds since the epoch, as a test wants them."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """A token endpoint: counts what it is asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.during: Callable[[], None] = lambda: time.sleep(0.05)
        self.error: Exception | None = None

    def __call__(self, refresh_token: str) -> Mapping[str, Any]:
        self.calls.append(refresh_token)
        number = len(self.calls)
        self.during()
        if self.error is not None:
            raise self.error
        return {"access_token": f"access-{number}", "expires_in": 3600}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = RedisServer(tmp_path_factory.mktemp("redis") / "data")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as connected:
        connected.flushall()
        yield connected


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(clock: Clock) -> Logins:
    return Logins(TokenCipher([KEY]), "https://webex.example", seconds=3600, now=clock)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def vault(client: Redis, logins: Logins, service: Service, clock: Clock) -> TokenVault:
    logins.begin(client, ADA, tokens("access-0", clock))
    return TokenVault(logins, lambda: client, service, now=clock)


def tokens(access: str, clock: Clock, refresh: str | None = "refresh-0") -> Tokens:
    answer = {"access_token": access, "expires_in": 3600, "refresh_token": refresh}
    return Tokens.from_answer(answer, clock())


def test_a_fresh_token_is_given_without_asking(vault: TokenVault, service: Service) -> None:
    assert vault.access_token("ada") == "access-0"
    assert service.calls == []


def test_twenty_threads_make_one_renewal(vault: TokenVault, service: Service, clock: Clock) -> None:
    clock.now += 3600
    with ThreadPoolExecutor(20) as pool:
        given = set(pool.map(lambda _: vault.access_token("ada"), range(20)))
    assert given == {"access-1"}
    assert service.calls == ["refresh-0"]


def test_several_servers_make_one_renewal(
    redis_url: str, client: Redis, logins: Logins, service: Service, clock: Clock
) -> None:
    logins.begin(client, ADA, tokens("access-0", clock))
    clients = [Redis.from_url(redis_url) for _ in range(5)]
    vaults = [TokenVault(logins, lambda c=c: c, service, now=clock) for c in clients]
    with ThreadPoolExecutor(20) as pool:
        given = set(pool.map(lambda n: vaults[n % 5].renewed("ada", "access-0"), range(20)))
    for each in clients:
        each.close()
    assert given == {"access-1"}
    assert len(service.calls) == 1


def test_a_refused_token_that_was_renewed_already_costs_nothing(
    vault: TokenVault, service: Service
) -> None:
    assert vault.renewed("ada", "access-0") == "access-1"
    assert vault.renewed("ada", "access-0") == "access-1"
    assert len(service.calls) == 1
    assert vault.renewed("ada", "access-1") == "access-2"


def test_a_logout_during_a_renewal_stands(
    vault: TokenVault, service: Service, logins: Logins, client: Redis
) -> None:
    service.during = lambda: (logins.end(client, "ada"), None)[1]
    with pytest.raises(LoginOver, match="log in again"):
        vault.renewed("ada", "access-0")
    assert logins.tokens(client, "ada") is None
    assert not [key for key in client.scan_iter() if b":tokens:" in key]


def test_a_login_during_a_renewal_stands(
    vault: TokenVault, service: Service, logins: Logins, client: Redis, clock: Clock
) -> None:
    service.during = lambda: (logins.begin(client, ADA, tokens("newer", clock)), None)[1]
    assert vault.renewed("ada", "access-0") == "newer"


def test_a_lock_that_ran_out_does_no_harm(
    vault: TokenVault, service: Service, client: Redis
) -> None:
    """The first renewal hangs so long that a second one overtakes it: the second one's result
    stands, and the first one's unlock does not open the lock of another."""
    hang, overtaken = threading.Event(), threading.Event()

    def during() -> None:
        if len(service.calls) == 1:
            overtaken.set()
            assert hang.wait(60)

    service.during = during
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(vault.renewed, "ada", "access-0")
        assert overtaken.wait(60)
        (key,) = client.keys("*:renewing:ada:*")
        client.delete(key)  # as Redis does after LOCK_MS
        assert vault.renewed("ada", "access-0") == "access-2"
        client.set(key, "another's")
        hang.set()
        assert first.result(60) == "access-2"
    assert client.get(key) == b"another's"


def test_a_refused_renewal_ends_the_login(
    vault: TokenVault, service: Service, logins: Logins, client: Redis, clock: Clock
) -> None:
    session = logins.begin(client, ADA, tokens("access-0", clock))
    service.error = TokenRefused("invented reason", by_user=True)
    with pytest.raises(LoginOver, match=r"ended \(invented reason\): log in again"):
        vault.renewed("ada", "access-0")
    assert logins.who(client, session) is None


def test_a_refusal_of_the_application_leaves_the_login(
    vault: TokenVault, service: Service, logins: Logins, client: Redis
) -> None:
    service.error = TokenRefused("invented", by_user=False)
    with pytest.raises(TokenServiceUnavailable, match="invented"):
        vault.renewed("ada", "access-0")
    assert logins.tokens(client, "ada") is not None


def test_those_who_wait_do_not_ask_again_what_just_failed(
    vault: TokenVault, service: Service, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.login.vault.FAILED_MS", 60_000)  # a busy machine is slow
    service.error = TokenServiceUnavailable("invented outage")

    def ask(number: int) -> str:
        with pytest.raises(TokenServiceUnavailable) as caught:
            vault.renewed("ada", "access-0")
        return str(caught.value)

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(ask, range(20))) == {"invented outage"}
    assert len(service.calls) == 1
    (marker,) = [key for key in client.scan_iter() if b"failed" in key]
    client.delete(marker)  # its time has passed
    service.error = None
    assert vault.renewed("ada", "access-0") == "access-2"


def test_who_gets_the_lock_just_after_a_failure_does_not_ask_again(
    vault: TokenVault, service: Service, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one's renewal fails between its look and its lock."""
    stored = vault._stored(client, "ada")
    take = client.set

    def fail_first(key: str, *value: Any, **options: Any) -> Any:
        if options.get("nx"):
            take(vault_module._failed_key("ada", stored), "invented outage")
        return take(key, *value, **options)

    monkeypatch.setattr(client, "set", fail_first)
    monkeypatch.setattr(vault, "_connect", lambda: client)
    with pytest.raises(TokenServiceUnavailable, match="invented outage"):
        vault.renewed("ada", "access-0")
    assert not service.calls


def test_without_a_refresh_token_the_login_ends(
    vault: TokenVault, logins: Logins, client: Redis, clock: Clock
) -> None:
    logins.begin(client, ADA, tokens("access-0", clock, refresh=None))
    with pytest.raises(LoginOver, match="no token to renew it with"):
        vault.renewed("ada", "access-0")


def test_tokens_that_no_key_opens_are_a_logout(
    vault: TokenVault, client: Redis, clock: Clock, service: Service
) -> None:
    other = Logins(
        TokenCipher([Fernet.generate_key().decode()]),
        "https://webex.example",
        seconds=60,
        now=clock,
    )
    assert other.tokens(client, "ada") is None
    with pytest.raises(LoginOver):
        TokenVault(other, lambda: client, service).access_token("ada")


def test_redis_away(logins: Logins, service: Service, tmp_path: Path) -> None:
    away = Redis(unix_socket_path=str(tmp_path / "nowhere"))
    with pytest.raises(TokenServiceUnavailable, match="Redis"):
        TokenVault(logins, lambda: away, service).access_token("ada")


def test_a_session_ends_with_its_time_its_issuer_and_its_user(
    logins: Logins, client: Redis, clock: Clock
) -> None:
    session = logins.begin(client, ADA, tokens("access-0", clock))
    other = logins.begin(client, ADA, tokens("access-0", clock))
    assert logins.who(client, session) == ADA
    elsewhere = Logins(TokenCipher([KEY]), "http://sandbox", seconds=3600)
    assert elsewhere.who(client, session) is None
    assert elsewhere.tokens(client, "ada") is None
    logins.end_session(client, session)
    assert logins.who(client, session) is None
    assert logins.who(client, other) == ADA
    assert logins.end(client, "ada", "another version") is False
    assert logins.end(client, "ada") is True
    assert logins.who(client, other) is None
    assert not list(client.scan_iter())


def test_nothing_of_a_login_stays_for_ever(logins: Logins, client: Redis, clock: Clock) -> None:
    session = logins.begin(client, ADA, tokens("access-0", clock))
    for key in client.scan_iter():
        assert 3590 < client.ttl(key) <= 3600
        assert session.encode() not in key
