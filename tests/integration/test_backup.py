"""A backup that is taken under load, and a server that starts from it in an empty place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flask_realtime.store.redisbinary import find_binary
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server


def backup(*arguments: object, succeeds: bool = True, **environ: str) -> str:
    result = subprocess.run(
        [sys.executable, "tools/backup.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode == 0) == succeeds, result.stdout + result.stderr
    return result.stdout + result.stderr


def address(server: Server) -> str:
    with server.redis_client() as client:
        return f"unix://{client.connection_pool.connection_kwargs['path']}"


def restored(folder: Path, saved: Path) -> dict[str, str]:
    """Put the backup into a new place; return the settings of a server there."""
    data, archive = folder / "data", folder / "instance" / "archive"
    arguments = ["--redis-data", data, "--archive", archive, "--redis-server", find_binary()]
    backup("restore", saved, *arguments)
    return {"REDIS_DATA": str(data)}


def test_what_was_backed_up_under_load_is_there_again(tmp_path: Path) -> None:
    old, new, saved = tmp_path / "old", tmp_path / "new", tmp_path / "backup"
    old.mkdir()
    new.mkdir()
    # Half of the output is archived at once, so that both tiers are in it.
    settings = {"OUTPUT_HOT_MIB": "1", "OUTPUT_HOT_MINUTES": "0", "MAX_RUNS": "3"}
    with Server(old, **settings) as server:
        archive = old / "instance" / "archive"
        ended = [server.start_run("exact") for _ in range(3)]
        ended.append(server.start_run("count", lines=400_000))
        for run in ended:
            server.ended(run)
        outputs = {run: server.output(run) for run in ended}
        going = [server.start_run("count", lines=10_000_000) for _ in range(3)]
        waiting = server.start_run("count")
        for run in going:
            eventually(lambda run=run: server.run_record(run)["output_bytes"] > 2 << 20)
        backup("take", saved, "--redis", address(server), "--archive", archive)
        assert server.run_record(going[0])["state"] == "running"  # it was taken under load
        backup("take", saved, "--redis", address(server), "--archive", archive)
        seen = {run: server.output(run) for run in going if server.post(f"/api/runs/{run}/stop")}
        for run in (*going, waiting):
            server.ended(run)
        seen = {run: server.output(run) for run in going}
    with Server(new, **settings, **restored(new, saved)) as server:
        for run, output in outputs.items():
            assert server.run_record(run)["state"] == "succeeded"
            assert server.output(run) == output
        for run in (*going, waiting):
            record = server.ended(run)
            assert record["state"] == "lost", record
        for run in going:
            output = server.output(run)
            assert len(output) > 2 << 20
            assert seen[run].startswith(output)
        listed = server.get("/api/runs").json()["runs"]
        assert {each["id"] for each in listed} == {*ended, *going, waiting}
        assert server.ended(server.start_run("exact"))["state"] == "succeeded"


def test_a_backup_is_brought_up_to_date_and_forgets_what_was_removed(tmp_path: Path) -> None:
    source, saved = tmp_path / "archive", tmp_path / "backup"
    (source / "run1").mkdir(parents=True)
    (source / "run1" / "a.zst").write_bytes(b"one")
    (source / "probe-1").write_bytes(b"being written")
    with Server(tmp_path) as server:
        url = address(server)
        said = backup("take", saved, "--redis", url, "--archive", source)
        assert "1 files copied, 0 removed" in said
        (source / "run2").mkdir()
        (source / "run2" / "b.zst").write_bytes(b"two")
        (source / "run1" / "a.zst").unlink()
        said = backup("take", saved, "--redis", url, "--archive", source)
        assert "1 files copied, 1 removed" in said
    kept = [path.name for path in (saved / "archive").rglob("*") if path.is_file()]
    assert kept == ["b.zst"]
    assert (saved / "redis.rdb").stat().st_mode & 0o077 == 0 or os.stat(saved).st_mode & 0o077 == 0


def test_a_user_of_redis_for_it_alone_will_do(tmp_path: Path) -> None:
    password = "invented-backup-password"
    rights = ("on", f">{password}", "+@connection", "+psync", "+sync", "+replconf")
    with Server(tmp_path) as server:
        url = address(server)
        with server.redis_client() as client:
            client.execute_command("ACL", "SETUSER", "backup", *rights)
        options = ("--redis", url, "--", "--user", "backup")
        assert "redis: " in backup("take", tmp_path / "b", *options, REDISCLI_AUTH=password)
        wrong = backup("take", tmp_path / "c", *options, REDISCLI_AUTH="wrong", succeeds=False)
        assert wrong.startswith("redis-cli failed: AUTH failed")


def test_what_cannot_be_done_is_one_line_and_leaves_the_last_backup(tmp_path: Path) -> None:
    saved = tmp_path / "backup"
    saved.mkdir()
    (saved / "redis.rdb").write_bytes(b"REDIS of yesterday")
    said = backup("take", saved, "--redis", "redis://:invented@localhost:1/0", succeeds=False)
    assert re.fullmatch(r"redis-cli failed: .*\n", said)
    assert "invented" not in said
    assert (saved / "redis.rdb").read_bytes() == b"REDIS of yesterday"
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").touch()
    assert "not empty" in backup("restore", saved, "--redis-data", full, succeeds=False)
    assert "no backup" in backup("restore", full, "--redis-data", tmp_path / "x", succeeds=False)
    damaged = ("restore", saved, "--redis-data", tmp_path / "y", "--redis-server", find_binary())
    assert "Redis cannot read the snapshot" in backup(*damaged, succeeds=False)


@pytest.mark.parametrize("program", ["redis-cli", "redis-server"])
def test_a_program_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "redis.rdb").write_bytes(b"REDIS")
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ["take", tmp_path / "b"]
    if program == "redis-server":
        arguments = ["restore", tmp_path, "--redis-data", tmp_path / "data"]
    assert f"{program} cannot be run" in backup(*arguments, succeeds=False)
