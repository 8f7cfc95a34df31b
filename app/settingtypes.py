"""How the text of a setting becomes a value: each parser raises ValueError with what is expected.

A parser takes the text and the folder from which relative paths start.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from flask_realtime.archive import check_url
from flask_realtime.errors import ConfigurationError
from flask_realtime.executors.brokerurl import BROKER_FORMS, parse_broker_url
from flask_realtime.forwarded import TrustedProxies
from flask_realtime.server.tls import ADHOC
from flask_realtime.store.redisurl import FORMS, parse_redis_url, without_password
from flask_realtime.trust import LOOPBACK_HOSTS, normal_host

Parser = Callable[[str, Path], object]


def whole_number(least: int, most: int) -> Parser:
    def parse(text: str, base: Path) -> int:
        value = int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else None
        if value is None or not least <= value <= most:
            raise _wrong(text, f"a whole number from {least} to {most}")
        return value

    return parse


def optional_port(text: str, base: Path) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise _wrong(text, "a port from 0 to 65535, or nothing")
    return int(text)


def number(least: float, most: float) -> Parser:
    def parse(text: str, base: Path) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise _wrong(text, f"a number from {least:g} to {most:g}")
        return value

    return parse


def choice(*words: str) -> Parser:
    def parse(text: str, base: Path) -> str:
        if text.lower() not in words:
            raise _wrong(text, f"one of {', '.join(words)}")
        return text.lower()

    return parse


def listen_address(text: str, base: Path) -> str:
    """An address, without brackets, as a socket takes it; a name only for this machine."""
    host = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        if host.lower() != "localhost":
            raise _wrong(text, "an address such as 127.0.0.1, ::1 or 0.0.0.0") from error
    return host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`, which `listen_address` returned."""
    return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback


def printable(text: str, base: Path) -> str:
    if not text.isprintable():
        raise _wrong(text, "text without control characters")
    return text


def secret(least: int) -> Parser:
    """What no message repeats."""

    def parse(text: str, base: Path) -> str:
        if text and not (len(text) >= least and text.isprintable()):
            raise ValueError(
                f"is wrong (it is not shown): expected at least {least} printable characters"
            )
        return text

    return parse


def secrets_of(least: int) -> Parser:
    """Several of these, separated by commas."""
    one = secret(least)

    def parse(text: str, base: Path) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in text.split(",") if key.strip())
        for key in keys:
            one(key, base)
        return keys

    return parse


def fernet_keys(text: str, base: Path) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    try:
        for key in keys:
            Fernet(key)
    except ValueError as error:
        raise ValueError(
            "is wrong (it is not shown): expected keys as `python -c 'from cryptography.fernet "
            "import Fernet; print(Fernet.generate_key().decode())'` prints them"
        ) from error
    return keys


def web_url(text: str, base: Path) -> str:
    """An address of the web; unencrypted only on this machine, since secrets are sent there."""
    try:
        parts = urlsplit(text)
        host = host_of(text)
        valid = parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        host, valid = None, False
    if not valid or host is None or parts.username or parts.scheme not in ("http", "https"):
        raise _wrong(text, "an address such as https://webex.example/path, without a query")
    if parts.scheme == "http" and host not in map(normal_host, LOOPBACK_HOSTS):
        raise _wrong(text, "https: secrets go there, and http is for this machine only")
    return text


def sandbox_url(text: str, base: Path) -> str:
    """An address of another process or container, without a slash at its end."""
    if text and not re.fullmatch(r"https?://[^/?#@\s]+", text.rstrip("/")):
        raise _wrong(text, "an address without a path, such as http://sandbox:5050")
    return text.rstrip("/")


def url_path(text: str, base: Path) -> str:
    if text and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise _wrong(text, "a path such as /webex-sandbox, without a slash at its end")
    return text


def proxies(text: str, base: Path) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        TrustedProxies(names)
    except ConfigurationError as error:
        raise ValueError(f"is wrong: {error}") from error
    return names


def host_of(url: str) -> str | None:
    """The host of an address of the web, as `normal_host` has it."""
    name = urlsplit(url).hostname or ""
    return normal_host(f"[{name}]" if ":" in name else name)


def redis_url(text: str, base: Path) -> str:
    if text:
        try:
            parse_redis_url(text)
        except ValueError as error:
            raise _wrong(
                without_password(text), f"{FORMS}, or nothing for an embedded Redis ({error})"
            ) from error
    return text


def broker_url(text: str, base: Path) -> str:
    if text:
        try:
            parse_broker_url(text)
        except ValueError as error:
            raise _wrong(without_password(text), f"{BROKER_FORMS}, or nothing ({error})") from error
    return text


def archive_url(text: str, base: Path) -> str:
    if text:
        try:
            check_url(text)
        except ConfigurationError as error:
            raise ValueError(str(error).removeprefix("ARCHIVE_URL: ")) from error
    return text


def folder(text: str, base: Path) -> Path:
    """A folder that may be created later."""
    path, kind = _look(text, base)
    if kind == "a file":
        raise _wrong(text, f"a folder, and {path} is a file")
    return path


def optional_folder(text: str, base: Path) -> Path | None:
    """A folder that may be created later; empty for none."""
    return folder(text, base) if text else None


def optional_path(text: str, base: Path) -> Path | None:
    """A file that may be made later; empty for none."""
    if not text:
        return None
    path, kind = _look(text, base)
    if kind == "a folder":
        raise _wrong(text, f"a file, and {path} is a folder")
    return path


def existing_folder(text: str, base: Path) -> Path | None:
    if not text:
        return None
    path, kind = _look(text, base)
    if kind != "a folder":
        raise _wrong(text, f"an existing folder, and {path} is {kind}")
    return path


def existing_file(text: str, base: Path) -> Path | None:
    if not text:
        return None
    path, kind = _look(text, base)
    if kind != "a file":
        raise _wrong(text, f"an existing file, and {path} is {kind}")
    return path


def certificate(text: str, base: Path) -> Path | str | None:
    return ADHOC if text == ADHOC else existing_file(text, base)


def host_names(text: str, base: Path) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if normal_host(name) is None:
            raise _wrong(name, "names or addresses without ports, such as localhost or [::1]")
    if not names:
        raise _wrong(text, "at least one host name")
    return tuple(names)


def _look(text: str, base: Path) -> tuple[Path, str]:
    try:
        path = base / Path(text).expanduser()
        kind = "a folder" if path.is_dir() else "a file" if path.exists() else "not there"
    except (OSError, RuntimeError) as error:
        raise _wrong(text, f"a folder that can be looked at ({error})"[:200]) from error
    return path, kind


def _wrong(text: str, expected: str) -> ValueError:
    shown = text if len(text) <= 100 else text[:97] + "..."
    return ValueError(f"{shown!r} is wrong: expected {expected}")
