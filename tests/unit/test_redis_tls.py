"""A Redis that speaks TLS only: the certificates of both sides, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.nodes.bus import Bus
from flask_realtime.store.redischeck import check_redis
from flask_realtime.store.store import Store
from tests.support.hub import until
from tests.support.redisgroups import Group, Tls, free_ports


class Speaker(Group):
    """One server; it takes clients with a certificate of theirs, or, if `optional`, all."""

    def __init__(self, folder: Path, *, optional: bool = False) -> None:
        super().__init__(folder)
        self.by = Tls(folder)
        (self.port,) = free_ports(1)
        lines = self.by.lines("optional" if optional else "yes")
        self.add(self.port, *lines, **self.by.client)

    def url(self, *options: str) -> str:
        return f"rediss://localhost:{self.port}/0?{'&'.join(options)}"

    @property
    def trust(self) -> str:
        return self.by.trust

    @property
    def own(self) -> str:
        return self.by.own


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaker]:
    with Speaker(tmp_path_factory.mktemp("strict")) as running:
        assert isinstance(running, Speaker)
        yield running


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaker]:
    with Speaker(tmp_path_factory.mktemp("lenient"), optional=True) as running:
        assert isinstance(running, Speaker)
        yield running


def fault(url: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_redis(url)
    (line,) = caught.value.lines
    assert line.startswith("REDIS_URL: ")
    return line


def test_a_client_with_the_right_certificates_is_served(strict: Speaker, lenient: Speaker) -> None:
    check_redis(strict.url(strict.trust, strict.own))
    check_redis(lenient.url(lenient.trust))


def test_what_is_wrong_is_one_clear_line(strict: Speaker, lenient: Speaker, tmp_path: Path) -> None:
    said = fault(lenient.url())
    assert "is not trusted" in said
    assert "ssl_ca_certs=/path/ca.pem" in said
    assert "is not trusted" in fault(lenient.url(strict.trust))
    assert "do not agree on TLS" in fault(strict.url(strict.trust))
    missing = tmp_path / "none.pem"
    assert f"ssl_ca_certs: there is no file {missing}" in fault(
        lenient.url(f"ssl_ca_certs={missing}")
    )
    assert "there is no Redis" in fault(f"redis://localhost:{lenient.port}/0")
    with Group(tmp_path) as group:
        plain = group.add(*free_ports(1))
        assert "one that speaks no TLS" in fault(f"rediss://localhost:{plain.port}/0")


def test_the_hub_calls_and_listens_through_tls(lenient: Speaker) -> None:
    store = Store()
    store.connect(lenient.url(lenient.trust))
    heard: list[object] = []
    try:
        calls = [
            host.spawn(store.call, lambda client, n=n: client.incrby("sum", n)) for n in range(40)
        ]
        for call in calls:
            call.wait()
        assert store.call(lambda client: client.get("sum")) == b"780"
        assert store.offload(lambda client: client.get("sum"), host.offload) == b"780"
        one, other = Bus(store, "one", {}), Bus(store, "other", {"news": heard.append})
        one.start()
        other.start()
        assert one.ask("other", "news", number=1)
        until(lambda: heard)
        one.stop()
        other.stop()
    finally:
        store.close()
