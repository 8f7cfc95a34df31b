"""Where a supervised app server listens, and how its arguments say so."""

from __future__ import annotations

import socket
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.upstream import Address, parse_upstream


@dataclass(frozen=True, slots=True)
class Placement:
    """`folder` is private, and made for each life of the app server; None without `{socket}`."""

    upstream: str
    address: Address
    base: str
    command: tuple[str, ...]
    folder: Path | None


def place(command: Sequence[str], upstream: str, prefix: str) -> Placement:
    """Settle what stands for {socket}, {port}, {prefix} and {python}. Raises ConfigurationError."""
    folder = None
    if any("{socket}" in argument for argument in command):
        folder = Path(tempfile.gettempdir()) / f"flask-realtime-{uuid.uuid4().hex[:12]}"
        upstream = f"unix:{folder / 'app.sock'}"
    elif "{port}" in (upstream or " ".join(command)):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        upstream = (upstream or "http://127.0.0.1:{port}").replace("{port}", port)
    if not upstream:
        raise ConfigurationError(
            f"where does {command[0]} listen? Put {{port}} or {{socket}} into its arguments, "
            "or name an upstream"
        )
    address, base = parse_upstream(upstream)
    words = {
        "{socket}": address.path,
        "{port}": str(address.port),
        "{prefix}": prefix,
        "{python}": sys.executable,
    }
    arguments = []
    for argument in command:
        for word, value in words.items():
            argument = argument.replace(word, value)
        arguments.append(argument)
    return Placement(upstream, address, base or prefix, tuple(arguments), folder)
