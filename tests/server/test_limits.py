"""When a connection has had its share, and what happens when the server has no more to give."""

from __future__ import annotations

import math
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from flask_realtime.server.limits import Limits, Phase, Progress, overdue
from tests.server.program import Program, received
from tests.support.patience import eventually

LIMITS = Limits()
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ALIVE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("phase", "seconds"),
    [(Phase.HANDSHAKE, 10), (Phase.IDLE, 75), (Phase.HEAD, 20)],
)
def test_each_phase_has_its_time(phase: Phase, seconds: float) -> None:
    progress = Progress(phase, since=1000.0)
    assert overdue(progress, 1000.0 + seconds, LIMITS) is None
    reason = overdue(progress, 1000.1 + seconds, LIMITS)
    assert reason is not None
    assert f"{seconds} s" in reason


@pytest.mark.parametrize("phase", [Phase.ANSWER, Phase.SOCKET])
def test_an_answer_and_a_websocket_may_take_for_ever(phase: Phase) -> None:
    assert overdue(Progress(phase, since=0.0), 1e9, LIMITS) is None
    silent = Progress(phase, since=0.0, read_since=0.0, is_upgrade=True)
    assert overdue(silent, 1e9, LIMITS) is None


def test_a_body_may_pause_longer_the_more_of_it_has_come() -> None:
    waiting = Progress(Phase.ANSWER, since=0.0, read_since=100.0, waited_seconds=25.0)
    assert overdue(waiting, 105.0, LIMITS) is None
    assert overdue(waiting, 105.1, LIMITS) is not None
    assert overdue(replace(waiting, received=5000), 115.0, LIMITS) is None
    assert overdue(replace(waiting, received=5000), 115.1, LIMITS) is not None
    # While the application is at work nobody waits for the client.
    assert overdue(replace(waiting, read_since=None), 1e9, LIMITS) is None


@pytest.mark.parametrize("phase", Phase)
def test_who_reads_nothing_is_overdue_in_every_phase(phase: Phase) -> None:
    progress = Progress(phase, since=999.0, write_since=940.0, is_upgrade=True)
    assert overdue(progress, 1000.0, LIMITS) is None
    assert overdue(progress, 1000.1, LIMITS) == "it read nothing for 60 s"
    assert overdue(progress, 1000.1, replace(LIMITS, write_seconds=math.inf)) is None


def test_what_the_server_was_held_up_does_not_count() -> None:
    progress = Progress(Phase.ANSWER, since=0.0, read_since=100.0, write_since=100.0)
    progress.excuse(50.0)
    assert overdue(progress, 180.0, LIMITS) is None
    assert progress == Progress(Phase.ANSWER, since=50.0, read_since=150.0, write_since=150.0)
    silent = Progress(Phase.IDLE, since=0.0)
    silent.excuse(50.0)
    assert silent == Progress(Phase.IDLE, since=50.0)


def test_clients_of_a_server_that_was_stopped_for_long_are_still_answered(tmp_path: Path) -> None:
    serve = "Server(app, limits=Limits(idle_seconds=4, head_seconds=4)).run(0)"
    with (
        Program(tmp_path, serve) as program,
        program.connect() as idle,
        program.connect() as half,
    ):
        for client in (idle, half):
            client.sendall(ALIVE)
            assert b"200 OK" in client.recv(65536)
        half.sendall(GET[:10])
        program.process.send_signal(signal.SIGSTOP)
        time.sleep(6)
        program.process.send_signal(signal.SIGCONT)
        time.sleep(1.5)  # it looks again
        idle.sendall(GET)
        half.sendall(GET[10:])
        assert b"200 OK" in received(idle)
        assert b"200 OK" in received(half)


def test_connections_beyond_the_limit_wait_for_their_turn(tmp_path: Path) -> None:
    with (
        Program(tmp_path, "Server(app, limits=Limits(max_connections=3)).run(0)") as program,
        ExitStack() as stack,
    ):
        first = [stack.enter_context(program.connect()) for _ in range(3)]
        for client in first:
            client.sendall(ALIVE)
            assert b"200 OK" in client.recv(65536)
        with program.connect() as late:
            late.sendall(GET)
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.recv(1)
            late.settimeout(60)
            first[0].close()
            assert b"200 OK" in received(late)


def test_a_machine_without_descriptors_is_waited_for(tmp_path: Path) -> None:
    source = """
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    Server(app).run(0)
    """
    with Program(tmp_path, source) as program:
        with ExitStack() as stack:
            for _ in range(60):
                stack.enter_context(program.connect()).sendall(ALIVE)
            eventually(lambda: "no connection can be accepted now: Too many open" in program.log)
        assert b"200 OK" in program.send(GET)
