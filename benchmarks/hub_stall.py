"""GET /healthz every 10 ms while code_census computes, and while nothing does."""

from __future__ import annotations

from benchmarks.parts import latencies, percentile, server

SECONDS = 8


def main() -> None:
    with server() as running:
        _say("idle", latencies(running.url, SECONDS))
        run = running.start_run("code_census")
        values = latencies(running.url, SECONDS)
        assert running.run_record(run)["state"] == "running", "it ended too early"
        _say("while code_census runs", values)
        print(f"  p99                     {percentile(values, 0.99):>10.1f} ms  (wanted: below 60)")
        running.post(f"/api/runs/{run}/stop")
        running.ended(run)


def _say(name: str, values: list[float]) -> None:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    print(f"  {name:<23} p50 {p50:.1f}  p99 {p99:.1f}  max {max(values):.1f} ms")
