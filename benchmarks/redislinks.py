"""What a call of the hub to Redis costs over green sockets, on native threads, and to a cluster.

``python -m benchmarks.redislinks``: with nothing else to do, and beside a job that computes.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from flask_realtime import host, outputstream
from flask_realtime.redisserver import RedisServer
from flask_realtime.store import keys
from flask_realtime.store.redislink import GreenLink, Link, ThreadLink
from flask_realtime.store.redisurl import parse_redis_url
from flask_realtime.tail import Chunk
from tests.support.redisgroups import Cluster

CALLS = 1000
APPENDS = 100
SIZE = 1 << 16  # of a chunk
CHUNKS = [Chunk(n * SIZE, 0, 1, bytes(SIZE), 1) for n in range(16)]  # as the log writes at once


def main() -> None:
    sys.setswitchinterval(host.SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        data, nodes = Path(folder, "one"), Path(folder, "cluster")
        nodes.mkdir()
        with RedisServer(data) as server, Cluster(nodes) as cluster:
            one, several = parse_redis_url(server.url), parse_redis_url(cluster.url)
            links = {
                "green": GreenLink(one),
                "threads": ThreadLink(one),
                "cluster": ThreadLink(several),
            }
            for name, link in links.items():
                _measure(f"{name}, alone", link)
                with _computing():
                    _measure(f"{name}, beside a job", link)
                link.close()


def _measure(name: str, link: Link) -> None:
    link.call(lambda client: client.get("nothing"))
    print(f"  {name:24} {_call_ms(link):7.3f} ms a call {_append_mib(link):6.0f} MiB/s", flush=True)


def _call_ms(link: Link) -> float:
    """The median time of a GET."""
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        link.call(lambda client: client.get("nothing"))
        times.append(time.perf_counter() - begin)
    return 1000 * median(times)


def _append_mib(link: Link) -> float:
    """The MiB of output that are appended in a second, each to a run of its own."""
    begin = time.perf_counter()
    for number in range(APPENDS):
        run = f"run{number}"
        link.call(partial(outputstream.append, run=run, stored=0, chunks=CHUNKS))
    seconds = time.perf_counter() - begin
    for number in range(APPENDS):
        link.call(partial(_remove, run=f"run{number}"))
    return APPENDS * sum(len(chunk.data) for chunk in CHUNKS) / (1 << 20) / seconds


def _remove(client, run: str) -> None:
    client.unlink(keys.output(run))


@contextmanager
def _computing() -> Iterator[None]:
    """As a job does that computes in the process of the server."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    job = threading.Thread(target=compute)
    job.start()
    try:
        yield
    finally:
        stop.set()
        job.join()


if __name__ == "__main__":
    main()
