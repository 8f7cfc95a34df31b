"""The HTTP calls of the design: what each answers, header by header."""

from __future__ import annotations

import pytest

from tests.support.patience import eventually
from tests.support.server import Server

SIZE = 80 * 100


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A run that has ended, with SIZE bytes of output."""
    made = server.start_run("numbered", lines=100)
    server.ended(made)
    return made


@pytest.fixture(scope="module")
def whole(server: Server, run: str) -> bytes:
    output = server.output(run)
    assert output == b"".join(b"%079d\n" % number for number in range(100))
    return output


def test_jobs_are_listed_with_their_schema(server: Server) -> None:
    jobs = {job["name"]: job for job in server.get("/api/jobs").json()["jobs"]}
    assert {"code_census", "numbered", "bound_method", "greet", "tasks"} <= set(jobs)
    assert set(jobs["numbered"]) == {
        *("name", "title", "description", "parameters", "isolation", "stop_when_unwatched"),
        *("kind", "bounds"),
    }
    assert jobs["numbered"]["parameters"]["properties"]["lines"]["type"] == "integer"


def test_a_record_has_the_fields_of_the_protocol(server: Server, run: str) -> None:
    record = server.run_record(run)
    assert set(record) == {
        *(
            "id",
            "job",
            "params",
            "user",
            "state",
            "created",
            "started",
            "ended",
            "exit",
            "stop_grace",
        ),
        *(
            "output_bytes",
            "output_lines",
            "output_removed",
            "executor",
            "isolation",
            "host",
            "queue",
            "attempt",
            "attempts",
            "stop_requested",
            "stop_reason",
            "stop_overdue",
            *("processes", "queue_position", "waiting", "progress"),
        ),
    }
    assert record["created"] <= record["started"] <= record["ended"]
    assert record["ended"].endswith("Z")
    assert record["output_bytes"] == SIZE
    assert record["output_lines"] == 100
    assert record["output_removed"] is False


def test_output_is_plain_text_with_its_offset(server: Server, run: str, whole: bytes) -> None:
    response = server.get(f"/api/runs/{run}/output?offset={SIZE - 10}")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["X-Output-Offset"] == str(SIZE - 10)
    assert response.headers["Content-Length"] == "10"
    assert response.content == whole[-10:]


def test_at_the_end_of_the_output_there_is_nothing_more(server: Server, run: str) -> None:
    response = server.get(f"/api/runs/{run}/output?offset={SIZE}&follow=1")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [("0-0", 0, 1), ("100-", 100, SIZE), ("-1", SIZE - 1, SIZE), ("5-999999999", 5, SIZE)],
)
def test_a_range_answers_those_bytes(
    server: Server, run: str, whole: bytes, wanted: str, first: int, end: int
) -> None:
    response = server.get(f"/api/runs/{run}/output", headers={"Range": f"bytes={wanted}"})
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert response.content == whole[first:end]


def test_a_follower_that_begins_late_gets_the_rest(server: Server) -> None:
    run = server.start_run("numbered", lines=2000, pause_every=50)
    eventually(lambda: server.run_record(run)["output_bytes"] > 8000)
    response = server.get(f"/api/runs/{run}/output?offset=4000&follow=1")
    assert response.headers["X-Output-Offset"] == "4000"
    assert response.content == b"".join(b"%079d\n" % number for number in range(50, 2000))
    assert server.run_record(run)["state"] == "succeeded"


def test_an_empty_before_is_none(server: Server) -> None:
    run = server.start_run("ignores_stop")
    listed = server.get("/api/runs?limit=1&before=").json()["runs"]
    server.post(f"/api/runs/{run}/stop", {"force": True})
    server.ended(run)
    assert [record["id"] for record in listed] == [run]


def test_a_page_of_the_list_begins_before_the_run_named(server: Server) -> None:
    older, newer = (server.start_run("greet") for _ in range(2))
    for made in (older, newer):
        server.ended(made)
    page = server.get(f"/api/runs?limit=1&before={newer}").json()
    assert [record["id"] for record in page["runs"]] == [older]
    assert page["next"] == older


def test_the_permalink_of_a_run_is_a_page(server: Server, run: str) -> None:
    for path in ("/", "/runs", "/runs?job=count", f"/runs/{run}"):
        response = server.get(path)
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert f'data-run="{run}"' in server.get(f"/runs/{run}").text
