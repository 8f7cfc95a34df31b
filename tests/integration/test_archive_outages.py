"""A real server whose archive cannot be used for a while: a folder, and an S3 server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.forwarder import Forwarder
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

LINES = 300_000  # of 80 bytes: many times what OUTPUT_HOT_MIB lets Redis hold
OFTEN = {"OUTPUT_HOT_MIB": "1"}


def numbered(lines: int) -> bytes:
    return b"".join(b"%079d\n" % number for number in range(lines))


class Notices:
    """What a page that is connected is told of the archive."""

    def __init__(self, server: Server) -> None:
        self.told: list[dict[str, Any]] = []
        self._client = ordered_client()
        self._client.on("notice", self._take)
        self._client.connect(server.url, transports=["websocket"])

    def _take(self, notice: dict[str, Any]) -> None:
        if notice["code"] == "archive_away":
            self.told.append(notice)

    def close(self) -> None:
        self._client.disconnect()


def test_a_folder_that_cannot_be_written_makes_the_job_wait(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Server(tmp_path, ARCHIVE_URL=folder.as_uri(), **OFTEN) as server:
        eventually(folder.is_dir)
        eventually(lambda: not list(folder.glob("probe-*")))
        folder.rename(tmp_path / "aside")
        folder.write_text("a file, where the folder was\n")
        notices = Notices(server)
        try:
            run = server.start_run("numbered", lines=LINES)
            eventually(lambda: notices.told)
            assert notices.told[0]["active"]
            assert "Not a directory" in notices.told[0]["message"]
            record = server.run_record(run)
            assert record["state"] == "running"
            assert record["output_bytes"] < 80 * LINES, "the buffers are bounded, so the job waits"
            with server.redis_client() as redis:
                assert redis.info("memory")["used_memory"] < 10 << 20
            folder.unlink()
            (tmp_path / "aside").rename(folder)
            assert server.ended(run)["state"] == "succeeded"
            eventually(lambda: not notices.told[-1]["active"])
            assert server.output(run) == numbered(LINES)
        finally:
            notices.close()


@pytest.fixture
def s3_port() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "programs" / "s3_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def test_an_object_store_that_goes_away_makes_the_job_wait(tmp_path: Path, s3_port: int) -> None:
    network = Forwarder(s3_port)
    environ = {
        "ARCHIVE_URL": "s3://archive/of/runs",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{network.port}",
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "us-east-1",
        **OFTEN,
    }
    try:
        with Server(tmp_path, **environ) as server:
            notices = Notices(server)
            try:
                first = server.start_run("numbered", lines=LINES)
                assert server.ended(first)["state"] == "succeeded"
                assert server.output(first) == numbered(LINES)
                middle = server.get(f"/api/runs/{first}/lines/{LINES // 2}").json()
                assert middle["offset"] == 80 * (LINES // 2 - 1)
                assert notices.told == []
                network.cut()
                run = server.start_run("numbered", lines=LINES)
                eventually(lambda: notices.told)
                assert "cannot be moved to the archive, s3://archive" in notices.told[0]["message"]
                assert server.run_record(run)["output_bytes"] < 80 * LINES
                network.mend()
                assert server.ended(run)["state"] == "succeeded"
                assert server.output(run) == numbered(LINES)
            finally:
                notices.close()
    finally:
        network.close()
