"""Workers over a Redis with TLS, with few rights, and behind Sentinels whose master dies."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.redisgroups import Group, WatchedByThree, free_ports
from tests.support.redisrights import documented_rule, refusals, with_user
from tests.support.server import Server
from tests.support.workers import JOBS, Worker
from tests.unit.test_redis_tls import Speaker


def all_arrives(server: Server, *, lines: int = 100) -> None:
    runs = [server.start_run(job, lines=lines) for job in ("count", "count_apart")]
    for run in runs:
        assert server.ended(run)["state"] == "succeeded"
        assert server.output(run).split() == [b"%d" % number for number in range(lines)]


def test_everything_goes_through_tls(tmp_path: Path) -> None:
    for name in ("redis", "server"):
        (tmp_path / name).mkdir()
    with Speaker(tmp_path / "redis", optional=True) as redis:
        assert isinstance(redis, Speaker)
        options = {"REDIS_URL": redis.url(redis.trust), "JOBS_PATH": str(JOBS)}
        with (
            Server(tmp_path / "server", EXECUTOR="celery", **options) as server,
            Worker(tmp_path, tmp_path / "server" / "instance", **options),
        ):
            all_arrives(server)


def test_after_a_failover_workers_hear_of_runs_from_the_new_master(tmp_path: Path) -> None:
    for name in ("redis", "server"):
        (tmp_path / name).mkdir()
    with WatchedByThree(tmp_path / "redis") as redis:
        assert isinstance(redis, WatchedByThree)
        options = {"REDIS_URL": redis.url, "JOBS_PATH": str(JOBS)}
        with (
            Server(tmp_path / "server", EXECUTOR="celery", **options) as server,
            Worker(tmp_path, tmp_path / "server" / "instance", **options),
        ):
            all_arrives(server)
            before = redis.named()
            redis.master.kill()
            eventually(lambda: redis.named() != before)
            eventually(lambda: server.get("/readyz").status_code == 200)
            all_arrives(server)


def test_a_user_with_the_documented_rights_can_do_all(tmp_path: Path) -> None:
    for name in ("redis", "server"):
        (tmp_path / name).mkdir()
    page = (ROOT / "docs" / "workers.md").read_text("utf-8")
    rights = re.search(r"^&flask-realtime:celery:.*$", page, re.MULTILINE)
    assert rights is not None
    (port,) = free_ports(1)
    with Group(tmp_path / "redis") as redis:
        redis.add(port, f"{documented_rule()} {rights[0]}")
        url = with_user(f"redis://127.0.0.1:{port}/0")
        options = {"REDIS_URL": url, "JOBS_PATH": str(JOBS)}
        with (
            Server(tmp_path / "server", EXECUTOR="celery", **options) as server,
            Worker(tmp_path, tmp_path / "server" / "instance", **options),
        ):
            all_arrives(server)
            again = server.start_run("one_at_a_time"), server.start_run("one_at_a_time")
            for run in again:
                assert server.ended(run)["state"] == "succeeded"
        assert refusals(redis) == []
