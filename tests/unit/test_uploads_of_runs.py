"""Uploads and secrets in the engine: a refused start leaves the file, the end removes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from flask_realtime import Secret, Upload
from flask_realtime.errors import BadParameters, StoreUnavailable, TooManyRuns
from flask_realtime.jobs import JobRegistry
from tests.support.hub import until
from tests.support.watchedengine import Start

Running = Callable[[], bool]


def read(running: Running, file: Annotated[Path, Upload(max_mib=1)], hold: bool = False) -> None:
    print(file.read_text())
    while hold and running():
        time.sleep(0.001)


def fail(running: Running, file: Annotated[Path, Upload(max_mib=1)]) -> None:
    raise LookupError(file.name)


def throw_away(running: Running, file: Annotated[Path, Upload(max_mib=1)]) -> None:
    file.unlink()
    file.parent.rmdir()
    file.parent.parent.chmod(0o755)


def tell(running: Running, secret: Secret, others: list[str]) -> None:
    print(secret, *others)


@pytest.fixture
def start(engine: Start, tmp_path: Path) -> Callable[..., Any]:
    """Makes an engine with these jobs."""

    def make(**options: Any) -> Any:
        jobs = JobRegistry()
        for function in (read, fail, throw_away, tell):
            jobs.add(function)
        return engine(jobs=jobs, uploads_path=tmp_path / "uploads", **options)

    return make


def put(watched: Any, text: bytes = b"content") -> str:
    pieces = [text]
    upload: str = watched.engine.uploads.receive(
        "ann", "a.txt", lambda size: pieces.pop() if pieces else b""
    ).id
    return upload


def left(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").glob("server-*/*") if path.name != "lock"]


@pytest.mark.parametrize(
    ("job", "state"), [("read", "succeeded"), ("fail", "failed"), ("throw_away", "succeeded")]
)
def test_every_end_of_a_run_removes_its_file(
    start: Callable[..., Any], tmp_path: Path, job: str, state: str
) -> None:
    with start() as watched:
        run = watched.start(job, file=put(watched))
        assert watched.ended(run).state == state
        until(lambda: left(tmp_path) == [])
        assert run.params["file"] == {"name": "a.txt", "bytes": 7}
    assert list(tmp_path.glob("uploads/*")) == []


def test_a_start_without_redis_leaves_the_file_for_the_next(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with start() as watched:
        upload = put(watched)
        with monkeypatch.context() as patch:
            patch.setattr(watched.engine.store, "available", False)
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    watched.start("read", file=upload)
        run = watched.start("read", file=upload)
        assert watched.ended(run).state == "succeeded"
        assert watched.output(run) == b"content\n"


def test_a_start_that_finds_no_place_leaves_the_file_for_the_next(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    with start(max_runs=1, max_queued=0) as watched:
        first = watched.start("read", file=put(watched), hold=True)
        upload = put(watched)
        with pytest.raises(TooManyRuns):
            watched.start("read", file=upload)
        watched.engine.stop_run("ann", first.id, force=False)
        watched.ended(first)
        assert watched.ended(watched.start("read", file=upload)).state == "succeeded"


def test_a_start_with_no_such_file_leaves_no_run(start: Callable[..., Any]) -> None:
    with start() as watched:
        with pytest.raises(BadParameters, match="there is no upload"):
            watched.start("read", file="f" * 32)
        with pytest.raises(BadParameters, match="there is no upload"):
            watched.start("read", user="bob", file=put(watched))
        assert watched.engine.runs.list(10) == ([], None)
        assert watched.states == []


def test_the_end_of_the_server_removes_the_files_of_runs_that_do_not_end(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    with start() as watched:
        run = watched.start("read", file=put(watched), hold=True)
        until(lambda: watched.output(run) == b"content\n")
        put(watched)
    assert list(tmp_path.glob("uploads/*")) == []


def test_a_secret_is_masked_where_it_is_long_enough(start: Callable[..., Any]) -> None:
    with start() as watched:
        run = watched.start("tell", secret="correct-horse", others=["correct-horses", "horse"])
        assert watched.ended(run).state == "succeeded"
        assert watched.output(run) == b"*** ***s horse\n"
        other = watched.start("tell", secret="1234567", others=["correct-horse"])
        watched.ended(other)
        assert watched.output(other) == b"1234567 correct-horse\n"  # another run's secret
        assert other.params == {"secret": "***", "others": ["correct-horse"]}
