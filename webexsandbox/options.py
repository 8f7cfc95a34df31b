"""How a sandbox is started."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`redirect_uris` empty: any on this machine is accepted."""

    host: str = "127.0.0.1"
    port: int = 5050
    spaces: int = 200
    messages: int = 1500
    seed: int = 1
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    redirect_uris: tuple[str, ...] = ()
    watch_stdin: bool = False
