"""The address of the broker: what Celery is told of each form."""

from __future__ import annotations

import ssl

import pytest

from flask_realtime.executors.brokerurl import KEY_PREFIX, parse_broker_url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://me:p%40ss@[::1]:6380/3", "redis://me:p%40ss@[::1]:6380/3"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix://:pw@/run/redis.sock?db=2", "redis+socket://:pw@/run/redis.sock?virtual_host=2"),
        ("rediss://host:6390/1", "rediss://host:6390/1"),
        ("redis+sentinel://:pw@a:1,b/main/1", "sentinel://:pw@a:1/1;sentinel://:pw@b:26379/1"),
        ("amqp://me:pw@host:5673/jobs", "amqp://me:pw@host:5673/jobs"),
        ("amqps://host/jobs?ca_certs=/ca.pem", "amqps://host/jobs"),
    ],
)
def test_each_form_becomes_that_of_celery(url: str, told: str) -> None:
    broker = parse_broker_url(url)
    assert broker.url == told
    assert broker.is_redis == (not url.startswith("amqp"))
    assert broker.transport.get("global_keyprefix") == (KEY_PREFIX if broker.is_redis else None)


def test_no_text_of_it_shows_a_password() -> None:
    for url in ("redis://:invented@host/0", "amqp://me:invented@host//"):
        broker = parse_broker_url(url)
        assert "invented" not in repr(broker)
        assert "***" in broker.shown


def test_tls_is_never_without_a_look_at_the_certificate() -> None:
    assert parse_broker_url("rediss://host").tls == {"ssl_cert_reqs": "required"}
    own = parse_broker_url("rediss://host?ssl_ca_certs=/ca.pem").tls
    assert own == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"}
    rabbit = parse_broker_url("amqps://host").tls
    assert rabbit is not None
    assert rabbit["cert_reqs"] == ssl.CERT_REQUIRED
    assert rabbit["server_hostname"] == "host"
    assert rabbit["ca_certs"]
    assert parse_broker_url("redis://host").tls is None


def test_sentinels_are_asked_with_their_own_password() -> None:
    broker = parse_broker_url("rediss+sentinel://:pw@a,b/main?sentinel_password=other")
    assert broker.transport["master_name"] == "main"
    assert broker.transport["sentinel_kwargs"]["password"] == "other"
    assert broker.transport["sentinel_kwargs"]["ssl"] is True
    assert broker.tls == {"ssl_cert_reqs": "required"}
