"""Two servers over one Redis, for tests of what one of them does when that changes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import eventually
from tests.support.server import Server


@contextmanager
def pair_of_servers(
    folder: Path, redis_url: str, **environ: str
) -> Iterator[tuple[Server, Server]]:
    """Start both at once; they share an archive."""
    servers = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        archive = (folder / "archive").as_uri()
        servers.append(Server(folder / name, REDIS_URL=redis_url, ARCHIVE_URL=archive, **environ))
    with ThreadPoolExecutor() as pool:
        try:
            list(pool.map(Server.start, servers))
            yield servers[0], servers[1]
        finally:
            list(pool.map(Server.stop, servers))


def numbered(lines: int) -> bytes:
    """What the job `numbered` prints."""
    return b"".join(b"%079d\n" % number for number in range(lines))


def both_have(servers: tuple[Server, Server], run: str, lines: int) -> None:
    """See that both have each byte of a run of `numbered` that has printed all of its lines."""
    for server in servers:
        eventually(lambda server=server: server.get("/readyz").status_code == 200)
        assert server.output(run) == numbered(lines)


def stopped_from_the_other(servers: tuple[Server, Server], run: str) -> None:
    """Stop a run of `numbered` of the first at the second, and see that both have all of it."""
    one, other = servers
    eventually(lambda: other.post(f"/api/runs/{run}/stop").status_code == 200)
    assert other.ended(run)["state"] == "stopped"
    printed = other.output(run)
    assert printed == one.output(run) == numbered(len(printed) // 80)
