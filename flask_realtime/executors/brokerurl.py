"""Where Celery's messages go: the address that was configured, as Celery wants it. No I/O.

A Redis is named as everywhere here (redisurl.py); RabbitMQ by ``amqp://`` or ``amqps://``.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from certifi import where

from flask_realtime.store.redisurl import FORMS, RedisUrl, parse_redis_url, without_password

AMQP_SCHEMES = ("amqp", "amqps")
BROKER_FORMS = f"{FORMS}, amqp://USER:PASSWORD@host:port/VHOST or amqps://... (RabbitMQ)"
# Before each key of the broker in Redis: other programs may have queues of the same names there.
KEY_PREFIX = "flask-realtime:celery:"


@dataclass(frozen=True, slots=True)
class Broker:
    """What Celery is told of its broker.

    `url` is for Kombu, `transport` its options, `tls` the arguments of the TLS connection, None for
    none; `shown` is the address without its password.
    """

    url: str = field(repr=False)
    shown: str
    transport: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tls: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def is_redis(self) -> bool:
        """Whether a Redis carries the messages, so that their queues are lists there."""
        return urlsplit(self.url).scheme not in AMQP_SCHEMES


def parse_broker_url(url: str) -> Broker:
    """Return what Celery is to be told. Raises ValueError, whose text shows no password."""
    if urlsplit(url).scheme in AMQP_SCHEMES:
        return _rabbitmq(url)
    redis = parse_redis_url(url)
    if redis.kind == "cluster":
        raise ValueError("Celery cannot use a Redis Cluster as its broker: name another Redis")
    place = _sentinels(redis) if redis.kind == "sentinel" else _single(url, redis)
    tls = None
    if redis.tls:
        given = {name: redis.options[name] for name in redis.options if name.startswith("ssl_")}
        tls = {"ssl_cert_reqs": "required", **given}
    # Patterns of channels could be allowed to a restricted user one by one only.
    transport: dict[str, Any] = {"global_keyprefix": KEY_PREFIX, "fanout_patterns": False}
    if redis.kind == "sentinel":
        transport["master_name"] = redis.master
        transport["sentinel_kwargs"] = {
            **({"ssl": True} if redis.tls else {}),
            **redis.sentinel_options,
        }
    return Broker(place, without_password(url), transport, tls)


def _single(url: str, redis: RedisUrl) -> str:
    number = redis.options.get("db", 0)
    if not redis.hosts:  # a Unix socket
        path = quote(redis.options["path"])
        return f"redis+socket://{_login(redis)}{path}?virtual_host={number}"
    return f"{urlsplit(url).scheme}://{_login(redis)}{_at(*redis.hosts[0])}/{number}"


def _sentinels(redis: RedisUrl) -> str:
    number = redis.options.get("db", 0)
    return ";".join(
        f"sentinel://{_login(redis)}{_at(host, port)}/{number}" for host, port in redis.hosts
    )


def _login(redis: RedisUrl) -> str:
    user = quote(redis.options.get("username") or "", safe="")
    password = quote(redis.options.get("password") or "", safe="")
    return f"{user}:{password}@" if user or password else ""


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _rabbitmq(url: str) -> Broker:
    parts = urlsplit(url)
    shown = without_password(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{shown!r} has no port from 1 to 65535") from error
    query = parse_qs(parts.query)
    unknown = query.keys() - ({"ca_certs"} if parts.scheme == "amqps" else set())
    if not parts.hostname or port == 0 or unknown:
        wrong = f"there is no option {min(unknown)!r}" if unknown else "it names no host"
        raise ValueError(f"{wrong}: expected amqp://USER:PASSWORD@host:5672/VHOST")
    tls = None
    if parts.scheme == "amqps":
        trusted = query.get("ca_certs", [ssl.get_default_verify_paths().cafile or where()])[0]
        tls = {
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": trusted,
            "server_hostname": parts.hostname,
        }
    return Broker(urlunsplit(parts._replace(query="")), shown, {}, tls)
