"""Which byte a line of a run's output begins at."""

from __future__ import annotations

import pytest

from tests.support.server import Server


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A run that has ended, with 100 lines of 80 bytes."""
    made = server.start_run("numbered", lines=100)
    server.ended(made)
    return made


@pytest.mark.parametrize(("line", "offset"), [(1, 0), (2, 80), (73, 72 * 80), (100, 99 * 80)])
def test_a_line_has_an_offset(server: Server, run: str, line: int, offset: int) -> None:
    answer = server.get(f"/api/runs/{run}/lines/{line}").json()
    assert answer == {"line": line, "offset": offset, "lines": 100}


@pytest.mark.parametrize("line", ["0", "-1", "102", "x", "1e3", "9" * 400, "1.5", "%D9%A3"])
def test_a_line_that_is_not_there_is_refused(server: Server, run: str, line: str) -> None:
    response = server.get(f"/api/runs/{run}/lines/{line}")
    assert (response.status_code, response.json()["code"]) == (416, "bad_line")


def test_a_last_line_without_its_end_counts(server: Server) -> None:
    run = server.start_run("exact")
    server.ended(run)
    whole = server.output(run)
    lines = whole.split(b"\n")
    assert lines[-1]
    answer = server.get(f"/api/runs/{run}/lines/{len(lines)}").json()
    assert answer["lines"] == len(lines)
    assert answer["offset"] == len(whole) - len(lines[-1])


def test_a_run_without_output_has_no_lines(server: Server) -> None:
    run = server.start_run("count", lines=0)
    server.ended(run)
    assert server.get(f"/api/runs/{run}/lines/1").json() == {"line": 1, "offset": 0, "lines": 0}


def test_a_line_of_an_unknown_run_is_not_found(server: Server) -> None:
    response = server.get("/api/runs/nope/lines/1")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_run")
