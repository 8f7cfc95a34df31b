"""What is removed of past runs, on a real server with its archive."""

from __future__ import annotations

from pathlib import Path

import socketio

from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client


def archived(server: Server) -> set[str]:
    """The runs of which the archive has files."""
    archive = server.folder / "instance" / "archive"
    return {path.name for path in archive.iterdir() if path.is_dir()} if archive.exists() else set()


def listed(server: Server, query: str = "") -> list[str]:
    return [run["id"] for run in server.get(f"/api/runs?{query}").json()["runs"]]


def runs_of(server: Server, job: str, count: int, **params: object) -> list[str]:
    runs = [server.start_run(job, **params) for _ in range(count)]
    for run in runs:
        server.ended(run)
    return runs


def test_old_runs_go_with_their_output_and_no_others(tmp_path: Path) -> None:
    with Server(tmp_path, KEEP_RUNS="5", OUTPUT_HOT_MINUTES="0") as server:
        counts = runs_of(server, "count", 4, lines=5)
        twice = runs_of(server, "kept_twice", 4)
        server.stop()
        server.start()  # it sweeps when it starts
        left = [*counts[1:], *twice[2:]]
        eventually(lambda: listed(server) == left[::-1])
        eventually(lambda: archived(server) == set(left))
        for run in (counts[0], *twice[:2]):
            response = server.get(f"/api/runs/{run}")
            assert (response.status_code, response.json()["code"]) == (404, "unknown_run")
            assert server.get(f"/api/runs/{run}/output").status_code == 404
        assert server.output(left[0]) == b"0\n1\n2\n3\n4\n"
        assert listed(server, "job=kept_twice") == twice[:1:-1]


def test_output_beyond_the_size_becomes_a_gap_and_the_record_stays(tmp_path: Path) -> None:
    gaps: list[dict[str, object]] = []
    with Server(tmp_path, KEEP_OUTPUT_GIB="0.0000001") as server:
        (run,) = runs_of(server, "count", 1, lines=500)
        size = server.run_record(run)["output_bytes"]
        assert len(server.output(run)) == size
        server.stop()
        server.start()

        def is_removed() -> bool:
            got = server.get(f"/api/runs/{run}/output")
            return (got.content, got.headers["X-Output-Offset"]) == (b"", str(size))

        eventually(is_removed)
        record = server.run_record(run)
        assert (record["state"], record["output_bytes"], record["output_lines"]) == (
            *("succeeded", size),
            500,
        )
        eventually(lambda: server.run_record(run)["output_removed"])
        client: socketio.Client = ordered_client()
        client.on("gap", gaps.append)
        client.connect(server.url, transports=["websocket"])
        assert client.call("attach", {"run": run})["offset"] == 0
        eventually(lambda: gaps)
        client.disconnect()
        assert [(gap["offset"], gap["next"]) for gap in gaps] == [(0, size)]
