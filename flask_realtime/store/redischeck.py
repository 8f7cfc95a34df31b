"""Whether the configured Redis can be used, asked once before anything stands on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from redis import RedisCluster
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    NoPermissionError,
    RedisError,
    TimeoutError,
)
from redis.sentinel import MasterNotFoundError

from flask_realtime.errors import ConfigurationError
from flask_realtime.store.redisclients import client_of
from flask_realtime.store.redisurl import RedisUrl, parse_redis_url, with_password, without_password

__all__ = ["OLDEST_VERSION", "check_redis", "with_password", "without_password"]

# XTRIM MINID, and the options of SET and ZRANGE that the stores use.
OLDEST_VERSION = (6, 2)
# Each of the two waits, for the connection and for an answer, so that both end within 3 s.
_WAIT = 1.5
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")  # options of the URL


def check_redis(url: str) -> None:
    """Return if a Redis that we can use answers at `url`.

    Blocks for about 3 s at most, of Sentinels and clusters for each that does not answer. Raises
    ConfigurationError with one line: the URL is malformed, nothing answers, it wants another
    password, or it is older than 6.2. The line does not show the password.
    """
    shown = without_password(url)
    address = _parsed(url, shown)
    client: Any = None
    try:
        client = client_of(address, answer_seconds=_WAIT, connect_seconds=_WAIT, retries=0)
        server = _server(client)
    except BusyLoadingError:
        return  # it is there and reads its data; whoever asks it next waits
    except AuthenticationError as error:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} refuses the password ({_line(error)}): "
            "expected redis://:PASSWORD@host:6379/0 or redis://USER:PASSWORD@host:6379/0"
        ) from error
    except NoPermissionError as error:
        raise ConfigurationError(
            f"REDIS_URL: the user of {shown} may not use this Redis ({_line(error)}); "
            "docs/redis.md has the rights that are needed"
        ) from error
    except TimeoutError as error:
        hint = " (one that speaks no TLS says nothing to rediss)" if address.tls else ""
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} does not answer within {2 * _WAIT:g} s{hint}"
        ) from error
    except (ConnectionError, OSError) as error:
        raise ConfigurationError(f"REDIS_URL: {_unreachable(address, shown, error)}") from error
    except (RedisError, ValueError) as error:
        raise ConfigurationError(
            f"REDIS_URL: what answers at {shown} is not a Redis that we can use ({_line(error)})"
        ) from error
    finally:
        if client is not None:
            client.close()
    _check_kind(address, shown, str(server.get("redis_mode", "")))
    _check_version(shown, str(server.get("redis_version", "?")))


def _parsed(url: str, shown: str) -> RedisUrl:
    try:
        address = parse_redis_url(url)
    except ValueError as error:
        raise ConfigurationError(
            f"REDIS_URL: {shown!r} is not an address of a Redis ({_line(error)}): "
            "expected, for example, redis://localhost:6379/0"
        ) from error
    for name in _FILES:
        path = address.options.get(name)
        if path is not None and not Path(path).is_file():
            raise ConfigurationError(f"REDIS_URL: {name}: there is no file {path}")
    return address


def _server(client: Any) -> dict[str, Any]:
    """What a Redis, or one node of a cluster, tells of itself."""
    if isinstance(client, RedisCluster):
        primaries: list[Any] = client.get_primaries()  # type: ignore[no-untyped-call]
        client = client.get_redis_connection(primaries[0])
    found: dict[str, Any] = client.info("server")
    return found


def _unreachable(address: RedisUrl, shown: str, error: Exception) -> str:
    said = _line(error)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return (
            f"the certificate of {shown} is not trusted ({said}): "
            "name the file of its authority, ?ssl_ca_certs=/path/ca.pem"
        )
    if address.tls and re.search("ssl|reset|closed", said, re.IGNORECASE):
        return (
            f"{shown} and this program do not agree on TLS ({said}): it may speak none, or want a "
            "certificate of ours, ?ssl_certfile=/path/cert.pem&ssl_keyfile=/path/key.pem"
        )
    if isinstance(error, MasterNotFoundError):
        return f"the Sentinels at {shown} name no master {address.master!r} that is up ({said})"
    if "Cluster mode is not enabled" in said:
        return f"what answers at {shown} is no node of a cluster: use redis:// for it"
    if address.kind == "cluster":
        return f"there is no cluster of Redis at {shown} ({said}): start it"
    return (
        f"there is no Redis at {shown} ({said}): start it, "
        "or leave REDIS_URL empty for an embedded one"
    )


def _check_kind(address: RedisUrl, shown: str, mode: str) -> None:
    if address.kind == "single" and mode in ("sentinel", "cluster"):
        a = "a Sentinel" if mode == "sentinel" else "a node of a cluster"
        form = "host:port/MASTER" if mode == "sentinel" else "host:port"
        raise ConfigurationError(
            f"REDIS_URL: what answers at {shown} is {a}: use redis+{mode}://{form}"
        )


def _check_version(shown: str, version: str) -> None:
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_VERSION:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} is version {version}; "
            f"{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or newer is needed"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
