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

from flask_realtime.redischeck import without_password
from flask_realtime.trust import normal_host

Parser = Callable[[str, Path], object]


def whole_number(least: int, most: int) -> Parser:
    def parse(text: str, base: Path) -> int:
        value = int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else None
        if value is None or not least <= value <= most:
            raise _wrong(text, f"a whole number from {least} to {most}")
        return value

    return parse


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


def loopback(text: str, base: Path) -> str:
    """An address of this machine alone, without brackets, as a socket takes it."""
    host = text.removeprefix("[").removesuffix("]")
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host.lower() == "localhost"
    if not is_loopback:
        raise _wrong(
            text,
            "127.0.0.1, ::1 or localhost; other machines cannot be served, "
            "since no login is configured and each visitor could start jobs",
        )
    return host


def redis_url(text: str, base: Path) -> str:
    if not text:
        return text
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("redis", "rediss", "unix"):
        raise _wrong(
            without_password(text),
            "redis://[USER:PASSWORD@]host:port/number, rediss://... (TLS), unix:///path, "
            "or nothing for an embedded Redis",
        )
    return text


def folder(text: str, base: Path) -> Path:
    """A folder that may be created later."""
    path, kind = _look(text, base)
    if kind == "a file":
        raise _wrong(text, f"a folder, and {path} is a file")
    return path


def existing_folder(text: str, base: Path) -> Path | None:
    if not text:
        return None
    path, kind = _look(text, base)
    if kind != "a folder":
        raise _wrong(text, f"an existing folder, and {path} is {kind}")
    return path


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
