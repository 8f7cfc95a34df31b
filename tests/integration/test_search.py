"""The search in the output of runs on the real server."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.patience import eventually
from tests.support.server import Server

LINES = 1000


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A run that has ended: LINES lines in colour, of which each hundredth has a needle."""
    made = server.start_run("haystack", lines=LINES)
    server.ended(made)
    return made


def search(server: Server, run: str, **query: object) -> dict[str, Any]:
    response = server.get(f"/api/runs/{run}/search", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_lines_are_found_as_they_are_displayed(server: Server, run: str) -> None:
    raw = server.output(run)
    answer = search(server, run, q="NEEDLE")
    assert [match["line"] for match in answer["matches"]] == list(range(100, LINES + 1, 100))
    for match in answer["matches"]:
        assert match["text"] == f"{match['line']} needle here"
        assert match["text"][match["start"] : match["end"]] == "needle"
        assert match["cut"] is False
        assert raw[match["offset"] :].startswith(b"\x1b[32m%d\x1b" % match["line"])
        line = server.get(f"/api/runs/{run}/lines/{match['line']}").json()
        assert line["offset"] == match["offset"]
    assert answer["next"] is None
    assert answer["searched"] == answer["end"] == len(raw)


def test_a_search_goes_on_where_it_was_left(server: Server, run: str) -> None:
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = search(server, run, q="^\\d+00 ", regex=1, limit=3, after=after)
        assert len(answer["matches"]) <= 3
        found += [match["line"] for match in answer["matches"]]
        after = answer["next"]
    assert found == list(range(100, LINES + 1, 100))


def test_case_and_regular_expressions_are_asked_for(server: Server, run: str) -> None:
    assert search(server, run, q="NEEDLE", case=1)["matches"] == []
    assert search(server, run, q="[0-9]{4}")["matches"] == []
    assert len(search(server, run, q="^[0-9]{4} needle here$", regex=1)["matches"]) == 1


def test_a_run_is_searched_while_it_goes_on(server: Server) -> None:
    run = server.start_run("haystack", lines=3000, needle_every=1, pause_every=10)
    found: list[int] = []
    after = 0
    while len(found) < 3000:
        ended = server.run_record(run)["ended"]  # before the search: then it searches all there is
        answer = search(server, run, q="needle here", limit=1000, after=after)
        found += [match["line"] for match in answer["matches"]]
        found = sorted(set(found))  # the line that was not finished may come twice
        after = answer["end"] if answer["next"] is None else answer["next"]
        if ended and answer["end"] == after:
            break
    assert found == list(range(1, 3001))
    server.ended(run)


def test_a_line_without_an_end_is_found_once(server: Server) -> None:
    run = server.start_run("one_line")
    server.ended(run)
    answer = search(server, run, q="needle")
    (match,) = answer["matches"]
    assert (match["line"], match["offset"], match["cut"]) == (2, 6, True)
    assert match["text"][match["start"] : match["end"]] == "needle"
    assert len(match["text"]) == 1000
    assert answer["next"] is None
    (match,) = search(server, run, q="^\\x{FFFD}|needle$", regex=1)["matches"]
    assert match["text"].endswith("needle needle")


def test_runs_without_output_have_no_matches(server: Server) -> None:
    run = server.start_run("count", lines=0)
    server.ended(run)
    assert search(server, run, q="^", regex=1) == {
        **{"matches": [], "next": None},
        **{"searched": 0, "end": 0},
    }


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad_pattern"),
        ("q=", 400, "bad_pattern"),
        ("q=(a&regex=1", 400, "bad_pattern"),
        ("q=(a)\\1&regex=1", 400, "bad_pattern"),
        ("q=a%0Ab", 400, "bad_pattern"),
        ("q=" + "x" * 1001, 400, "bad_pattern"),
        ("q=" + "(" * 900 + "&regex=1", 400, "bad_pattern"),
        ("q=((a{100}){100}){100}&regex=1", 400, "bad_pattern"),
        ("q=a&limit=0", 400, "bad_request"),
        ("q=a&limit=1001", 400, "bad_request"),
        ("q=a&limit=-1", 400, "bad_request"),
        ("q=a&limit=", 400, "bad_request"),
        ("q=a&regex=2", 400, "bad_request"),
        ("q=a&case=yes", 400, "bad_request"),
        ("q=a&after=-1", 416, "bad_offset"),
        ("q=a&after=" + "9" * 30, 416, "bad_offset"),
        ("q=a&after=x", 416, "bad_offset"),
    ],
)
def test_a_bad_search_is_refused(
    server: Server, run: str, query: str, status: int, code: str
) -> None:
    response = server.get(f"/api/runs/{run}/search?{query}")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["%00", "%ff%fe", "%ed%a0%80", quote("\U0001f600"), "%C3"])
def test_any_bytes_may_be_searched_for(server: Server, run: str, query: str) -> None:
    for regex in (0, 1):
        response = server.get(f"/api/runs/{run}/search?q={query}&regex={regex}")
        assert response.status_code == 200
        assert response.json()["matches"] == []


def test_another_run_is_not_searched(server: Server) -> None:
    response = server.get("/api/runs/nope/search?q=a")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_run")


def test_costly_patterns_do_not_stop_the_server(server: Server) -> None:
    """More clients than may search at once, with a pattern at RE2's slowest; then they leave."""
    run = server.start_run("flood_of", line="a" * 199, lines=40_000)
    server.ended(run)
    clients = []
    path = f"/api/runs/{run}/search?q={quote('(?:a?){900}c')}&regex=1"
    for _ in range(6):
        client = socket.create_connection(("127.0.0.1", server.port), 10)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
        clients.append(client)
    answered = threading.Event()

    def ask() -> None:
        for _ in range(20):
            assert server.get("/healthz").status_code == 200
        answered.set()

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(60)
    assert answered.is_set()
    for client in clients:
        client.close()

    def found() -> list[object] | None:
        response = server.get(f"/api/runs/{run}/search?q={quote('^a{199}$')}&regex=1&limit=5")
        if response.status_code == 429:  # they are noticed to have left, a slice later
            return None
        matches: list[object] = response.json()["matches"]
        return matches

    assert len(eventually(found) or []) == 5
