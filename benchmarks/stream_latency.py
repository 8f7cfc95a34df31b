"""200 lines a second for 10 s: from print() to a client in another process, in ms."""

from __future__ import annotations

from benchmarks.parts import (
    HERE,
    answer,
    has_websocketd,
    node,
    percentile,
    server,
    view,
    websocketd,
)

SECONDS = 10
PROGRAM = str(HERE / "jobs" / "_ticks_program.py")


def main() -> None:
    with server() as running:
        ours = view(running.url, "ticks", "ticks", seconds=SECONDS)["latencies"]
    _say("ours", ours)
    print("  first eight lines       " + " ".join(f"{value:.2f}" for value in ours[:8]))
    if has_websocketd():
        with websocketd(PROGRAM, str(SECONDS)) as url:
            theirs = answer(node("websocket.mjs", url, "ticks"))["latencies"]
        _say("websocketd", theirs)
        for name, share, wanted in (("p50", 0.5, 2), ("p99", 0.99, 3)):
            ratio = percentile(ours, share) / percentile(theirs, share)
            print(f"  ratio {name}               {ratio:>10.2f}  (wanted: at most {wanted})")


def _say(name: str, values: list[float]) -> None:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    print(f"  {name:<23} p50 {p50:.2f}  p99 {p99:.2f}  max {max(values):.2f}")
