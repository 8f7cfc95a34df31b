"""The Autobahn test suite against the tests' server: python -m tests.sockets.autobahn [CASE …].

Its cases are run by kosoku, which must be installed (`make conformance` does both). CASE is
a number or a pattern such as ``12.*``; without one all are run, by http, and those without
compression by https as well. All take some seven minutes.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from kosoku import FailureError, run_fuzzingclient

from tests.sockets.serving import Serving, make_certificate

MODULE = "tests.sockets.served"
PASSED = ("OK", "NON-STRICT", "INFORMATIONAL")
COMPRESSION = ["12.*", "13.*"]
AT_ONCE = 2
# kosoku 0.1.0 stumbles over this itself, in the cases x.y.1 and x.y.2 of 12 and 13;
# test_compression.py has their sizes.
ITS_OWN = "Strings must be encoded before hashing"


def main() -> int:
    wanted = sys.argv[1:] or None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = Serving(folder, ["-m", MODULE])
        try:
            failed = _report("http", asyncio.run(_run(plain.port, wanted, None)))
        finally:
            plain.stop()
        certificate, key = make_certificate(folder)
        tls = Serving(folder, ["-m", MODULE, str(certificate), str(key)], certificate)
        try:
            failed += _report("https", asyncio.run(_by_tls(tls, wanted)))
        finally:
            tls.stop()
    return 1 if failed else 0


async def _run(port: int, wanted: list[str] | None, excluded: list[str] | None) -> list[Any]:
    url = f"ws://127.0.0.1:{port}/large"
    try:
        return list(await run_fuzzingclient(url, wanted, excluded, concurrency=AT_ONCE))
    except FailureError as failure:
        return list(failure.results)


async def _by_tls(server: Serving, wanted: list[str] | None) -> list[Any]:
    """kosoku speaks no TLS: what it says is carried to the server through it."""
    context = ssl.create_default_context(cafile=str(server.certificate))
    carried: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the other direction hears of it
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
        for each in (carry(reader, inner[1]), carry(inner[0], writer)):
            task = asyncio.create_task(each)
            carried.add(task)
            task.add_done_callback(carried.discard)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listener:
        port: int = listener.sockets[0].getsockname()[1]
        results = await _run(port, wanted, None if wanted else COMPRESSION)
    if carried:
        await asyncio.wait(carried, timeout=5)
    return results


def _report(scheme: str, results: list[Any]) -> int:
    """Print what came out; return how many failed."""
    failed = 0
    counts: Counter[str] = Counter()
    for each in results:
        verdict = each.behavior.value
        if ITS_OWN in each.result:
            verdict = "not run by kosoku"
        elif verdict not in PASSED or each.behavior_close.value not in ("OK", "INFORMATIONAL"):
            failed += 1
            print(f"{scheme} {each.case_id}: {verdict}, {each.behavior_close.value}: {each.result}")
        counts[verdict] += 1
    print(f"{scheme}: {len(results)} cases: {dict(counts)}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
