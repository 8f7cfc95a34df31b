"""Addresses of Redis: one server, one behind Sentinels, a cluster, each with and without TLS."""

from __future__ import annotations

import pytest

from flask_realtime.store.redisurl import parse_redis_url, with_password, without_password


def test_one_server() -> None:
    found = parse_redis_url("redis://me:p%40w@host:7/3?socket_keepalive=yes")
    assert (found.kind, found.hosts, found.tls) == ("single", (("host", 7),), False)
    assert found.options["password"] == "p@w"
    assert found.options["username"] == "me"
    assert found.options["db"] == 3
    assert found.is_plain
    assert parse_redis_url("redis://").hosts == (("localhost", 6379),)
    assert parse_redis_url("unix:///a/b.sock?db=1").options == {"path": "/a/b.sock", "db": 1}
    assert not parse_redis_url("rediss://host").is_plain


def test_sentinels_name_a_master() -> None:
    found = parse_redis_url(
        "redis+sentinel://me:pw@one:1,[::1]:2,three/my%20main/4?sentinel_password=other"
    )
    assert found.kind == "sentinel"
    assert found.hosts == (("one", 1), ("::1", 2), ("three", 26379))
    assert found.master == "my main"
    assert found.options == {"username": "me", "password": "pw", "db": 4}
    assert found.sentinel_options == {"password": "other"}
    assert not found.is_plain


def test_a_cluster_with_tls() -> None:
    found = parse_redis_url("rediss+cluster://:pw@one:7000,two?ssl_ca_certs=/ca.pem")
    assert (found.kind, found.tls, found.master) == ("cluster", True, "")
    assert found.hosts == (("one", 7000), ("two", 6379))
    assert found.options == {"password": "pw", "ssl_ca_certs": "/ca.pem"}
    sentinels = parse_redis_url("rediss+sentinel://one/main?ssl_ca_certs=/ca.pem")
    assert sentinels.sentinel_options == {"ssl_ca_certs": "/ca.pem"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:6379", "the scheme 'localhost' is none of redis, rediss, unix"),
        ("redis+sentinels://host/main", "is none of redis"),
        ("redis://host:port", "port"),
        ("redis://host:70000", "range"),
        ("redis://[::1", "IPv6"),
        ("redis://host/name", "'/name' is not the number of a database"),
        ("redis://host?none_such=1", "there is no option 'none_such'"),
        ("rediss://host?ssl_cert_reqs=maybe", "maybe"),
        ("redis+sentinel://one,two", "it does not name the master"),
        ("redis+sentinel://one,,two/main", "'' is not host:port"),
        ("redis+sentinel://one/main/x", "'/x' is not the number of a database"),
        ("redis+sentinel://one/main?none_such=1", "there is no option 'none_such'"),
        ("redis+cluster://one:70000", "'one:70000' has no port from 1 to 65535"),
        ("redis+cluster://one/3", "a cluster has the database 0 only"),
        ("redis+cluster://", "'' is not host:port"),
    ],
)
def test_a_malformed_address_says_what_is_wrong_in_one_line(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as wrong:
        parse_redis_url(url)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://host/0", "redis://:p%2Fw@host/0"),
        ("redis://me@host/0", "redis://me:p%2Fw@host/0"),
        ("redis://me:own@host/0", "redis://me:own@host/0"),
        ("redis+sentinel://a:1,[::1]:2/main", "redis+sentinel://:p%2Fw@a:1,[::1]:2/main"),
        ("rediss+cluster://me@a:1,b:2?x=y", "rediss+cluster://me:p%2Fw@a:1,b:2?x=y"),
        ("", ""),
    ],
)
def test_a_password_is_put_where_there_is_none(url: str, expected: str) -> None:
    assert with_password(url, "p/w") == expected
    assert with_password(url, "") == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis+sentinel://me:p@a:1,b:2/main", "redis+sentinel://me:***@a:1,b:2/main"),
        ("redis+cluster://:p:q@a:1,b:2", "redis+cluster://:***@a:1,b:2"),
        ("redis+sentinel://a/m?sentinel_password=p&db=1", "redis+sentinel://a/m?sentinel_password=***&db=1"),
        ("rediss://a?ssl_password=p", "rediss://a?ssl_password=***"),
    ],
)  # fmt: skip
def test_messages_show_no_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
