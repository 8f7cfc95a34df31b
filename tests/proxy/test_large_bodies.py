"""Bodies of a gigabyte: they pass whole, at constant memory, whatever the server's own bound is."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator

import pytest
import requests

from tests.proxy.support import Site
from tests.proxy.upstreams import Echo, Upstream

MIB = 1 << 20
GIB = 1 << 30


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(Echo()) as running:
        yield running


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_gigabyte_passes(site: Site, upstream: Upstream, framing: str) -> None:
    serve(site, upstream)
    digest = hashlib.sha256()
    block = bytearray(range(256)) * (MIB // 256)

    def pieces() -> Iterator[bytes]:
        for number in range(GIB // MIB):
            block[:8] = number.to_bytes(8, "big")  # none is like another: the order counts
            digest.update(block)
            yield block

    site.get("/app/")
    before = site.memory_bytes()
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    headers = {"Content-Length": str(GIB)} if framing == "length" else {}
    connection.request(
        "POST", "/app/", body=pieces(), headers=headers, encode_chunked=framing == "chunked"
    )
    with connection.getresponse() as answer:
        assert answer.status == 200
        text = answer.read().decode()
    connection.close()
    assert f'"body_bytes": {GIB}' in text
    assert digest.hexdigest() in text
    assert site.memory_bytes() - before < 20 * MIB


def test_what_is_not_proxied_keeps_the_bound_of_the_server(site: Site, upstream: Upstream) -> None:
    serve(site, upstream)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    for path in ("/login", "/appendix", "/", "/app%2F"):
        connection.request("POST", path, headers={"Content-Length": str(GIB)})
        with connection.getresponse() as answer:
            assert answer.status == 413
            assert answer.getheader("Connection") == "close"
        connection.close()


def test_the_proxy_has_a_bound_of_its_own(site: Site, upstream: Upstream) -> None:
    serve(site, upstream, limits={"max_body_bytes": 2 * MIB})
    address = site.url + "/app/"
    assert requests.post(address, data=bytes(2 * MIB), timeout=60).status_code == 200
    assert requests.post(address, data=bytes(2 * MIB + 1), timeout=60).status_code == 413


def serve(site: Site, upstream: Upstream, **arguments: object) -> None:
    mount = {"prefix": "/app", "upstream": upstream.url, "strip_prefix": True, **arguments}
    site.parent(mount, server=True)
