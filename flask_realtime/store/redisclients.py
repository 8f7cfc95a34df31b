"""Clients of redis-py for native threads, for each kind of address; they block."""

from __future__ import annotations

from typing import Any, cast

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError, RedisClusterException, TimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

from flask_realtime.store.redisurl import RedisUrl, parse_redis_url

ANSWER_SECONDS = 3.0  # a Redis that needs longer for one call counts as away
CONNECT_SECONDS = 1.0  # of each Sentinel and node: several may be tried in turn
RETRIES = 2  # of a connection that broke: a pooled one may be stale, or the master another now
RETRY_FIRST_SECONDS = 0.05
RETRY_MOST_SECONDS = 0.5
REFRESH_AFTER = 1  # redirections, then the map of a cluster's slots is read anew


def blocking_client(url: str, *, read_bytes: int = 1 << 16) -> Redis:
    """A client for native threads, which may share it, with the same patience as the hub's.

    The first call connects, but to a cluster this one does: it raises redis.ConnectionError. What
    it returns for a cluster is no subclass of Redis; the calls are the same, but for those of
    several slots. Raises ValueError for a malformed `url`.
    """
    return client_of(parse_redis_url(url), read_bytes=read_bytes)


def client_of(
    address: RedisUrl,
    *,
    read_bytes: int = 1 << 16,
    answer_seconds: float = ANSWER_SECONDS,
    connect_seconds: float | None = None,
    retries: int = RETRIES,
    **more: Any,
) -> Redis:
    """As `blocking_client`, for an address that was parsed."""
    several = address.kind != "single"
    connect = connect_seconds or (CONNECT_SECONDS if several else ANSWER_SECONDS)
    waits = {"socket_timeout": answer_seconds, "socket_connect_timeout": connect}
    options = {**waits, "socket_read_size": read_bytes, **address.options, **more}
    return _MAKE[address.kind](address, options, waits, retries)


def _retry(retries: int) -> Retry:
    """Only of connections: who waited for an answer has waited enough."""
    backoff = ExponentialWithJitterBackoff(base=RETRY_FIRST_SECONDS, cap=RETRY_MOST_SECONDS)
    return Retry(backoff, retries, (ConnectionError,))


def _single(address: RedisUrl, options: Any, waits: Any, retries: int) -> Redis:
    options = {"retry": _retry(retries), "ssl": address.tls, **options}
    path = options.pop("path", None)
    return Redis(unix_socket_path=path, **options)


def _sentinel(address: RedisUrl, options: Any, waits: Any, retries: int) -> Redis:
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        address.hosts,
        sentinel_kwargs={
            **waits,
            "retry": _retry(0),  # the next one is asked instead
            "ssl": address.tls,
            **address.sentinel_options,
        },
    )
    made: Any = sentinels.master_for(  # type: ignore[no-untyped-call]
        address.master, retry=_retry(retries), ssl=address.tls, **options
    )
    return cast(Redis, made)


def _cluster(address: RedisUrl, options: Any, waits: Any, retries: int) -> Redis:
    try:
        made: Any = RedisCluster(
            startup_nodes=[ClusterNode(*host) for host in address.hosts],  # type: ignore[no-untyped-call]
            retry=_retry(retries),
            reinitialize_steps=REFRESH_AFTER,
            ssl=address.tls,
            **options,
        )
    except RedisClusterException as error:
        # It is none of redis-py's RedisError, though what is wrong is that nobody answers.
        wrong = error.__cause__ or error
        kind = TimeoutError if isinstance(wrong, TimeoutError) else ConnectionError
        raise kind(f"{error}") from error
    return cast(Redis, made)


_MAKE = {"single": _single, "sentinel": _sentinel, "cluster": _cluster}
