"""Whether the configured Redis can be used, asked once before anything stands on it."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    NoPermissionError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

from flask_realtime.errors import ConfigurationError

# XTRIM MINID, and the options of SET and ZRANGE that the stores use.
OLDEST_VERSION = (6, 2)
# Each of the two waits, for the connection and for an answer, so that both end within 3 s.
_WAIT = 1.5


def check_redis(url: str) -> None:
    """Return if a Redis that we can use answers at `url`. Blocks for about 3 s at most.

    Raises ConfigurationError with one line: the URL is malformed, nothing answers, it wants another
    password, or it is older than 6.2. The line does not show the password.
    """
    shown = without_password(url)
    try:
        client = Redis.from_url(
            url, socket_connect_timeout=_WAIT, socket_timeout=_WAIT, retry=Retry(NoBackoff(), 0)
        )
        # Unknown options of the URL show only when a connection is made of them.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"REDIS_URL: {shown!r} is not an address of a Redis ({error}): "
            "expected, for example, redis://localhost:6379/0"
        ) from error
    try:
        version = str(client.info("server").get("redis_version", "?"))
    except BusyLoadingError:
        return  # it is there and reads its data; whoever asks it next waits
    except AuthenticationError as error:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} refuses the password ({_line(error)}): "
            "expected redis://:PASSWORD@host:6379/0 or redis://USER:PASSWORD@host:6379/0"
        ) from error
    except NoPermissionError as error:
        raise ConfigurationError(
            f"REDIS_URL: the user of {shown} may not use this Redis ({_line(error)})"
        ) from error
    except TimeoutError as error:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} does not answer within {2 * _WAIT:g} s"
        ) from error
    except (ConnectionError, OSError) as error:
        raise ConfigurationError(
            f"REDIS_URL: there is no Redis at {shown} ({_line(error)}): start it, "
            "or leave REDIS_URL empty for an embedded one"
        ) from error
    except (RedisError, ValueError) as error:
        raise ConfigurationError(
            f"REDIS_URL: what answers at {shown} is not a Redis that we can use ({_line(error)})"
        ) from error
    finally:
        client.close()
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_VERSION:
        raise ConfigurationError(
            f"REDIS_URL: the Redis at {shown} is version {version}; "
            f"{OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or newer is needed"
        )


def with_password(url: str, password: str) -> str:
    """Return `url` with `password` in it; unchanged if either is empty, or it has one already."""
    parts = urlsplit(url)
    if not url or not password or parts.password:
        return url
    place = parts.netloc.rpartition("@")
    netloc = f"{parts.username or ''}:{quote(password, safe='')}@{place[2]}"
    return urlunsplit(parts._replace(netloc=netloc))


def without_password(url: str) -> str:
    """`url` with its password as ***, for messages and logs."""
    shown = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&]password=)[^&]*", r"\1***", shown)[:200]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
