"""Runs in processes: what reaches the watcher, how they end, and that nothing of them is left."""

from __future__ import annotations

from flask_realtime.isolation.box import Exit, Processes
from tests.support.boxes import Boxed, command


def test_a_command_prints_and_ends() -> None:
    box = Boxed(command("echo", "hi"))
    assert box.end() == Exit("succeeded", 0, "finished", Processes(0, 0))
    assert box.output == b"hi\n"
