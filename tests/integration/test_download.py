"""The download of a run's output: exact or as text, from an offset or a line, packed, with gaps."""

from __future__ import annotations

import gzip
import re
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.patience import eventually
from tests.support.server import Server

LINES = 2000
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A run that has ended: LINES lines in colour, of which each hundredth has a needle."""
    made = server.start_run("haystack", lines=LINES)
    server.ended(made)
    return made


@pytest.fixture(scope="module")
def text() -> bytes:
    """The output of `run` as text."""
    return b"".join(
        b"%d %s here\r\n" % (number, b"straw" if number % 100 else b"needle")
        for number in range(1, LINES + 1)
    )


def output(server: Server, run: str, query: str = "", **headers: str) -> requests.Response:
    return server.get(f"/api/runs/{run}/output{query}", headers={**PLAIN, **headers})


def test_raw_is_exact_and_text_has_no_sequences(server: Server, run: str, text: bytes) -> None:
    raw = output(server, run)
    assert raw.content == output(server, run, "?format=raw").content
    assert raw.content.startswith(b"\x1b[32m1\x1b[0m straw")
    assert (raw.headers["X-Output-Offset"], raw.headers["X-Output-Line"]) == ("0", "1")
    assert int(raw.headers["Content-Length"]) == len(raw.content)
    plain = output(server, run, "?format=text")
    assert plain.content == text
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert plain.headers["Accept-Ranges"] == "none"


def test_it_begins_at_a_line(server: Server, run: str, text: bytes) -> None:
    offset = server.get(f"/api/runs/{run}/lines/1500").json()["offset"]
    raw = output(server, run, "?line=1500")
    assert raw.headers["X-Output-Offset"] == str(offset)
    assert raw.headers["X-Output-Line"] == "1500"
    assert raw.content == output(server, run).content[offset:]
    plain = output(server, run, "?line=1500&format=text")
    assert plain.content == b"".join(text.splitlines(keepends=True)[1499:])
    assert plain.headers["X-Output-Offset"] == str(offset)


def test_a_text_begins_with_a_character_and_no_half_sequence(server: Server) -> None:
    run = server.start_run("exact")
    server.ended(run)
    raw = output(server, run).content
    smiley = raw.index("\U0001f600".encode())
    for offset in range(smiley + 1, smiley + 4):
        plain = output(server, run, f"?format=text&offset={offset}")
        assert plain.headers["X-Output-Offset"] == str(smiley + 4)
        assert plain.text.startswith("\n" + "x" * 1_000_000)
        assert output(server, run, f"?offset={offset}").content == raw[offset:]
    colour = raw.index(b"\x1b[31m")
    for offset in range(colour + 1, colour + 6):
        assert output(server, run, f"?format=text&offset={offset}").text.startswith("red\n")


def test_text_is_always_utf_8(server: Server) -> None:
    run = server.start_run("exact")
    server.ended(run)
    text = output(server, run, "?format=text").content.decode()
    assert "\ufffd\ufffd raw \U0001f600\n" in text
    assert text.endswith("no newline \U0001f600")


def test_it_is_packed_for_who_takes_gzip(server: Server, run: str, text: bytes) -> None:
    for query, expected in (("", output(server, run).content), ("?format=text", text)):
        response = requests.get(
            f"{server.url}/api/runs/{run}/output{query}",
            headers={"Accept-Encoding": "br, gzip;q=0.5"},
            stream=True,
            timeout=60,
        )
        assert response.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in response.headers["Vary"]
        packed = response.raw.read(decode_content=False)
        assert len(packed) < len(expected) / 3
        assert gzip.decompress(packed) == expected
    for refused in ("identity", "gzip;q=0", "br", ""):
        assert "Content-Encoding" not in output(server, run, **{"Accept-Encoding": refused}).headers


def test_a_range_has_no_gzip_and_no_text(server: Server, run: str) -> None:
    ranged = output(server, run, Range="bytes=0-1999", **{"Accept-Encoding": "gzip"})
    assert ranged.status_code == 206
    assert "Content-Encoding" not in ranged.headers
    assert ranged.content == output(server, run).content[:2000]
    refused = output(server, run, "?format=text", Range="bytes=0-9")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    whole = output(server, run, Range="lines=1-2")
    assert whole.status_code == 200


@pytest.mark.parametrize("kind", ["raw", "text"])
def test_a_download_has_a_name(server: Server, run: str, kind: str) -> None:
    response = output(server, run, f"?download=1&format={kind}")
    suffix = {"raw": "log", "text": "txt"}[kind]
    assert (
        response.headers["Content-Disposition"] == f'attachment; filename="haystack-{run}.{suffix}"'
    )
    assert "Content-Disposition" not in output(server, run).headers


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("format=html", 400, "bad_request"),
        ("format=", 400, "bad_request"),
        ("download=2", 400, "bad_request"),
        ("line=3&offset=4", 400, "bad_request"),
        ("line=0", 416, "bad_line"),
        ("line=x", 416, "bad_line"),
        (f"line={LINES + 2}", 416, "bad_line"),
        ("offset=99999999&format=text", 416, "bad_offset"),
    ],
)
def test_a_bad_download_is_refused(
    server: Server, run: str, query: str, status: int, code: str
) -> None:
    response = output(server, run, f"?{query}")
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_following_is_packed_line_by_line(server: Server) -> None:
    """Each line can be unpacked as it comes: a run that stops in its middle shows what it said."""
    run = server.start_run("ignores_stop")
    unpacker = zlib.decompressobj(31)
    with server.get(
        f"/api/runs/{run}/output?follow=1&format=text",
        headers={"Accept-Encoding": "gzip"},
        stream=True,
    ) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        come = b""
        while not come.endswith(b"\n"):
            come += unpacker.decompress(response.raw.read1(decode_content=False))
        assert server.run_record(run)["state"] == "running"
        server.post(f"/api/runs/{run}/stop", {"force": True})
        rest = response.raw.read(decode_content=False)
    whole = come + unpacker.decompress(rest) + unpacker.flush()
    assert unpacker.eof
    server.ended(run)
    assert whole == output(server, run, "?format=text").content


def test_a_follower_gets_text_until_the_run_ends(server: Server) -> None:
    run = server.start_run("haystack", lines=500, pause_every=50)
    followed = output(server, run, "?follow=1&format=text&line=1")
    assert server.run_record(run)["ended"]
    assert followed.content == output(server, run, "?format=text").content
    assert len(followed.content.splitlines()) == 500


def test_a_client_that_leaves_a_download_is_no_fault(server: Server) -> None:
    run = server.start_run("flood_of", line="x" * 99, lines=200_000)
    server.ended(run)
    for query in ("", "?format=text", "?format=text&follow=1"):
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(
                f"GET /api/runs/{run}/output{query} HTTP/1.1\r\nAccept-Encoding: gzip\r\n"
                f"Host: localhost:{server.port}\r\n\r\n".encode()
            )
            assert client.recv(12) == b"HTTP/1.1 200"
    assert server.get("/healthz").status_code == 200
    assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, list[int]]]:
    """A server whose archive lost two segments of a run, the first and the third; their edges."""
    folder = tmp_path_factory.mktemp("gaps")
    with Server(folder, OUTPUT_HOT_MIB="1") as running:
        run = running.start_run("haystack", lines=600_000)  # more than memory holds of it
        running.ended(run)
        archive = folder / "instance" / "archive" / run
        eventually(lambda: len(list(archive.glob("*-*.zst"))) > 3)
        segments = sorted(archive.glob("*-*.zst"), key=_edges)
        for lost in (segments[0], segments[2]):
            lost.unlink()
        edges = [_edges(segments[index]) for index in (0, 2)]
        yield running, run, [edge for pair in edges for edge in pair]


def _edges(path: Path) -> tuple[int, int]:
    first, end, _ = path.name.split("-")
    return int(first), int(end)


def test_raw_begins_behind_a_gap_and_breaks_off_at_the_next(
    gaps: tuple[Server, str, list[int]],
) -> None:
    server, run, (_, first_end, second, second_end) = gaps
    path = f"{server.url}/api/runs/{run}/output"
    response = requests.get(path, headers=PLAIN, stream=True, timeout=60)
    assert response.headers["X-Output-Offset"] == str(first_end)
    got = b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):  # noqa: PT012
        for piece in response.iter_content(1 << 14):
            got += piece
    response.close()
    assert second - first_end - (1 << 14) < len(got) <= second - first_end
    behind = requests.get(f"{path}?offset={second + 5}", headers=PLAIN, timeout=60)
    assert behind.headers["X-Output-Offset"] == str(second_end)
    size = server.run_record(run)["output_bytes"]
    assert len(behind.content) == size - second_end
    for wanted in (f"bytes=0-{first_end - 1}", f"bytes=5-{first_end - 1}"):
        assert output(server, run, Range=wanted).status_code == 416
    partly = output(server, run, Range=f"bytes={first_end - 9}-{first_end + 9}")
    assert partly.status_code == 206
    assert partly.headers["Content-Range"] == f"bytes {first_end}-{first_end + 9}/{size}"
    assert len(partly.content) == 10


def test_text_says_what_is_gone(gaps: tuple[Server, str, list[int]]) -> None:
    server, run, (first, first_end, second, second_end) = gaps
    response = output(server, run, "?format=text")
    assert response.headers["X-Output-Offset"] == str(first_end)
    lines = response.text.splitlines()
    said = [line for line in lines if "no longer kept" in line]
    assert said == [
        f"[{first_end - first:,} bytes are no longer kept]",
        f"[{second_end - second:,} bytes are no longer kept]",
    ]
    assert lines[0] == said[0]
    assert lines[-1] == "600000 needle here"
    number = int(response.headers["X-Output-Line"])
    assert re.match(rf"{number + 1} ", lines[2])


def test_the_search_passes_over_what_is_gone(gaps: tuple[Server, str, list[int]]) -> None:
    server, run, (_, first_end, second, second_end) = gaps
    found: list[int] = []
    searched, after = 0, 0
    while after is not None:
        answer = server.get(
            f"/api/runs/{run}/search", params={"q": "needle", "limit": 1000, "after": after}
        ).json()
        for match in answer["matches"]:
            assert match["text"].startswith(str(match["line"]))
            found.append(match["line"])
        searched += answer["searched"]
        after = answer["next"]
    assert found == sorted(set(found))
    assert 100 < len(found) < 6000
    assert found[-1] == 600_000
    assert searched == answer["end"] - first_end - (second_end - second)
    gone = server.get(f"/api/runs/{run}/lines/5")
    assert (gone.status_code, gone.json()["code"]) == (410, "line_gone")
    assert output(server, run, "?line=5").status_code == 410
