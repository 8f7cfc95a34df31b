"""What is said about a REDIS_URL that cannot be used."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from flask_realtime.errors import ConfigurationError
from flask_realtime.redisserver import RedisServer
from flask_realtime.store.redischeck import check_redis, without_password
from tests.support.redisgroups import Group, free_ports


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as started:
        yield started


def fault(url: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_redis(url)
    assert len(caught.value.lines) == 1
    assert "\n" not in caught.value.lines[0]
    assert caught.value.lines[0].startswith("REDIS_URL: ")
    return caught.value.lines[0]


def test_a_redis_that_can_be_used_passes(server: RedisServer) -> None:
    check_redis(server.url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:6379", "http://localhost", "redis://localhost:port"),
        *("redis://localhost:99999", "redis://[::1", "redis://localhost?none_such=1"),
    ],
)
def test_a_malformed_url_is_told_what_is_expected(url: str) -> None:
    assert "is not an address of a Redis" in fault(url)


def test_nothing_at_the_address(tmp_path: Path) -> None:
    with socket.socket() as bound:  # bound and not listening: a port that surely refuses
        bound.bind(("127.0.0.1", 0))
        said = fault(f"redis://:secret@127.0.0.1:{bound.getsockname()[1]}/0")
    assert "there is no Redis at redis://:***@127.0.0.1" in said
    assert "secret" not in said
    assert "there is no Redis" in fault(f"unix://{tmp_path}/none.sock")


def test_a_server_that_accepts_and_says_nothing_is_given_up_after_one_attempt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        said = fault(f"redis://127.0.0.1:{mute.getsockname()[1]}")
        mute.setblocking(False)
        mute.accept()[0].close()
        with pytest.raises(BlockingIOError):
            mute.accept()
    assert "does not answer within 3 s" in said


def test_a_password_that_is_missing_or_wrong(server: RedisServer) -> None:
    with Redis.from_url(server.url) as redis:
        redis.config_set("requirepass", "right")
        try:
            assert "refuses the password" in fault(server.url)
            said = fault(f"{server.url}?password=wrong")
            assert "refuses the password" in said
            assert "wrong@" not in said
            assert "password=***" in said
            check_redis(f"{server.url}?password=right")
        finally:
            redis.config_set("requirepass", "")


def test_a_user_without_permission(server: RedisServer) -> None:
    with Redis.from_url(server.url) as redis:
        redis.execute_command("ACL SETUSER weak on >pw ~* +ping")
        assert "may not use this Redis" in fault(f"{server.url}?username=weak&password=pw")


def test_a_database_that_does_not_exist(server: RedisServer) -> None:
    assert "DB index is out of range" in fault(f"{server.url}?db=9999")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b"$31\r\n# Server\r\nredis_version:6.0.16\r\n\r\n",
            "version 6.0.16; 6.2 or newer is needed",
        ),
        (b"$10\r\n# Server\r\n\r\n", "version ?; 6.2 or newer is needed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not a Redis that we can use"),
    ],
)
def test_what_answers_is_too_old_or_no_redis(answer: bytes, said: str) -> None:
    """A stand-in that accepts every command and has one answer to INFO."""

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            while received := connection.recv(65536):
                if answer.startswith(b"HTTP"):
                    connection.sendall(answer)
                    return
                commands = received.count(b"*")
                hello = b"HELLO" in received
                if b"INFO\r\n" in received and b"SETINFO" not in received:
                    connection.sendall(answer)
                elif hello:
                    connection.sendall(b"-ERR unknown command 'HELLO'\r\n" * commands)
                else:
                    connection.sendall(b"+OK\r\n" * commands)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        found = fault(f"redis://127.0.0.1:{listening.getsockname()[1]}?protocol=2")
        thread.join()
    assert said in found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/0", "redis://host:1/0"),
        ("redis://:pw@host/0", "redis://:***@host/0"),
        ("rediss://me:p@w:x@host/0", "rediss://me:***@host/0"),
        ("unix://me:pw@/a/b.sock?db=1", "unix://me:***@/a/b.sock?db=1"),
        ("unix:///a.sock?password=pw&db=1", "unix:///a.sock?password=***&db=1"),
        ("redis://h?db=1&PassWord=pw", "redis://h?db=1&PassWord=***"),
    ],
)
def test_messages_do_not_show_the_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_an_address_of_another_kind_says_which_one_it_is(tmp_path: Path) -> None:
    with Group(tmp_path) as group:
        plain, node, sentinel = free_ports(3)
        group.add(plain)
        group.add(node, "cluster-enabled yes")
        group.add(sentinel, sentinel=True)
        at = "127.0.0.1"
        assert "is a node of a cluster: use redis+cluster://" in fault(f"redis://{at}:{node}")
        assert "is a Sentinel: use redis+sentinel://" in fault(f"redis://{at}:{sentinel}")
        assert "is no node of a cluster" in fault(f"redis+cluster://{at}:{plain}")
        assert "name no master 'main'" in fault(f"redis+sentinel://{at}:{sentinel}/main")
        assert "there is no cluster" in fault(f"redis+cluster://{at}:1")
