"""What the benchmarks of scale make of their figures."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from benchmarks.scale.machine import Share, verdict
from benchmarks.scale.paper import Limits, Need, Unit, for_runs, for_viewers
from benchmarks.scale.queued import overtaken
from benchmarks.scale.workers import Flood, judge


def flood(workers: int, seconds: float, *, redis_cpu: float = 0.2, free: float = 8.0) -> Flood:
    """Of 1M lines on each worker, for a second of CPU each."""
    return Flood(workers, workers * 1_000_000, seconds, workers * 1.0, workers * redis_cpu, free)


@pytest.mark.parametrize(
    ("began", "most"),
    [("abcd", 0), ("bacd", 1), ("bcda", 1), ("dabc", 3), ("cbad", 2), ("ab", 0)],
)
def test_runs_that_were_overtaken_are_counted(began: str, most: int) -> None:
    assert overtaken(began, "abcd") == most


@pytest.mark.parametrize("began", ["aa", "ax"])
def test_a_run_that_begins_twice_or_was_not_queued_is_no_order(began: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        overtaken(began, "abcd")


def test_a_bound_is_met_from_above_or_from_below() -> None:
    assert [verdict(59.9, 60), verdict(60, 60)] == ["pass", "miss"]
    assert [verdict(0.8, 0.8, at_least=True), verdict(0.79, 0.8, at_least=True)] == ["pass", "miss"]


def test_what_others_use_is_not_free() -> None:
    assert Share(cores=4, seconds=10, ours=20, others=15).free_cores == 2.5


def test_workers_are_judged_by_the_clock_where_there_were_cores() -> None:
    by_the_clock, by_cpu = judge(flood(1, 1.0), flood(4, 1.1))
    assert "0.91 × linear" in by_the_clock
    assert "pass" in by_the_clock
    assert "1.00 × linear" in by_cpu
    assert "pass" in by_cpu
    assert "miss" in judge(flood(1, 1.0), flood(4, 1.5))[0]


def test_without_the_cores_the_clock_tells_nothing() -> None:
    by_the_clock, by_cpu = judge(flood(1, 1.0), flood(4, 3.0, free=2.0))
    assert "4.8 cores needed, 2.0 free" in by_the_clock
    assert "pass" in by_cpu


def test_the_redis_that_all_share_bounds_what_workers_carry() -> None:
    one, many = flood(1, 1.0, redis_cpu=0.5), flood(4, 1.0, redis_cpu=0.5)
    assert many.redis_limit == many.unhindered == 2_000_000
    assert "0.50 × linear" in judge(one, many)[1]


def amounts(needs: Iterable[Need]) -> dict[str, float]:
    return {need.what: need.amount for need in needs}


def test_on_paper_viewers_need_nodes_and_what_is_in_front_of_them() -> None:
    unit = Unit(viewer_memory=2**20, viewer_idle_cpu=1e-3, viewer_live_cpu=2e-3)
    needs = amounts(for_viewers(10_000, unit, Limits(node_viewers=4_000, nginx_connections=8_000)))
    assert (needs["web nodes"], needs["nginx processes"]) == (3, 3)
    assert needs["their memory"] == pytest.approx(10_000 / 1024)
    assert needs["their CPU, idle"] == pytest.approx(10)
    assert needs["their CPU, live"] == pytest.approx(30)
    assert needs["nodes for that"] == 50


def test_on_paper_runs_need_processes_connections_and_a_window_each() -> None:
    unit = Unit(worker_connections=5, line_redis_cpu=1e-6, idle_redis_cpu=1e-3)
    needs = amounts(for_runs(1_000, 10, unit, Limits()))
    assert needs["processes of pools"] == 1_000
    assert needs["connections to Redis"] == 5_000
    assert needs["Redis, output"] == pytest.approx(0.01)
    assert needs["Redis, signs of life"] == pytest.approx(1)
    assert needs["its memory, at most"] == pytest.approx(1_000 * 16 / 1024)
