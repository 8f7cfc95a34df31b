"""What the rest asks of the hub: greenlets, offloaded calls, descriptors, signals, deadlines."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.host.connection import INPUT
from tests.support.hub import until
from tests.support.loggedprocess import ROOT


def test_an_offloaded_call_runs_on_a_native_thread_while_greenlets_go_on() -> None:
    turns = 0

    def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            host.sleep(0.001)

    task = host.spawn(other)

    def wait(seconds: float, *, result: str) -> tuple[str, int]:
        time.sleep(seconds)
        return result, threading.get_ident()

    result, ident = host.offload(wait, 0.1, result="done")
    task.kill()
    assert result == "done"
    assert ident != threading.get_ident()
    assert turns > 5


def test_offloaded_calls_run_at_the_same_time() -> None:
    meet = threading.Barrier(5)
    tasks = [host.spawn(host.offload, meet.wait, 10) for _ in range(5)]
    assert sorted(task.wait() for task in tasks) == [0, 1, 2, 3, 4]


def test_what_an_offloaded_call_raises_reaches_the_caller_with_its_traceback() -> None:
    class Special(Exception):
        pass

    def fails(value: int) -> None:
        raise Special(value)

    with pytest.raises(Special, match="7") as caught:
        host.offload(fails, 7)
    assert caught.traceback[-1].name == "fails"
    assert host.offload(int, "8") == 8  # the pool lives on


@pytest.mark.parametrize("end_of_file", [False, True])
def test_a_descriptor_is_waited_for(end_of_file: bool) -> None:
    read_end, write_end = os.pipe()
    seen: list[bytes] = []

    def reader() -> None:
        host.wait_readable(read_end)
        seen.append(os.read(read_end, 10))

    task = host.spawn(reader)
    host.sleep(0.01)
    assert not seen
    if end_of_file:
        os.close(write_end)
    else:
        threading.Timer(0.01, os.write, (write_end, b"x")).start()  # from any thread
    task.wait()
    assert seen == [b"" if end_of_file else b"x"]
    os.close(read_end)
    if not end_of_file:
        os.close(write_end)


def test_a_descriptor_that_is_readable_already_is_not_waited_for() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"x")
    with host.Timeout(5):
        host.wait_readable(read_end)
    os.close(read_end)
    os.close(write_end)


def test_what_a_greenlet_raises_reaches_who_waits_for_it() -> None:
    def fails() -> None:
        raise LookupError("in the greenlet")

    task = host.spawn(fails)
    with pytest.raises(LookupError, match="in the greenlet"):
        task.wait()


def test_a_killed_greenlet_runs_no_further() -> None:
    went: list[str] = []

    def walk() -> None:
        try:
            went.append("on")
            host.sleep(10)
            went.append("too far")
        finally:
            went.append("out")

    task = host.spawn(walk)
    until(lambda: went)
    task.kill()
    assert went == ["on", "out"]


def test_a_signal_wakes_all_who_wait_and_none_who_come_later() -> None:
    signal = host.Signal()
    woken: list[tuple[int, bool]] = []

    def wait(number: int) -> None:
        woken.append((number, signal.wait()))

    for number in range(3):
        host.spawn(wait, number)
    host.sleep(0)
    signal.set()
    until(lambda: len(woken) == 3)
    assert sorted(woken) == [(0, True), (1, True), (2, True)]
    assert signal.wait(0.01) is False
    signal.set()  # nobody waits
    assert signal.wait(0) is False


def test_a_wait_for_a_condition_looks_at_each_signal() -> None:
    signal = host.Signal()
    count = 0

    def tick() -> None:
        nonlocal count
        for _ in range(3):
            host.sleep(0.001)
            count += 1
            signal.set()

    host.spawn(tick)
    assert host.wait_for(lambda: count == 3, signal, 10)
    assert host.wait_for(lambda: True, signal, 0)
    assert not host.wait_for(lambda: count == 4, signal, 0.01)


def test_a_deadline_spans_several_waits() -> None:
    far, near = host.Deadline(60), host.Deadline(0.01)
    first = far.left()
    host.sleep(0.02)
    assert 0 < far.left() <= first - 0.02 < 60
    assert near.left() == 0.0


def test_a_timeout_around_a_wait_for_a_signal_is_heard() -> None:
    signal = host.Signal()
    with pytest.raises(host.Timeout), host.Timeout(0.01):
        signal.wait(60)


def test_a_timeout_may_pass_silently() -> None:
    signal = host.Signal()
    with host.Timeout(0.01, False):
        signal.wait()


def test_a_port_in_use_is_said_with_the_remedy() -> None:
    listener = host.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with pytest.raises(ConfigurationError, match=rf"PORT: port {port} of 127\.0\.0\.1 is in use"):
        host.listen("127.0.0.1", port)
    listener.close()


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"HOST: cannot listen on 192\.0\.2\.1:0"):
        host.listen("192.0.2.1", 0)


def test_connections_that_are_accepted_send_small_writes_at_once() -> None:
    listener = host.listen("127.0.0.1", 0)
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    for each in (accepted, client, listener):
        each.close()


def test_a_green_socket_makes_only_its_greenlet_wait() -> None:
    ours, theirs = socket.socketpair()
    green = host.green_socket(ours)
    received: list[bytes] = []
    task = host.spawn(lambda: received.append(green.recv(10)))
    host.sleep(0)
    theirs.sendall(b"hello")
    task.wait()
    assert received == [b"hello"]
    green.close()
    theirs.close()


class Input:
    """What the server puts into the environment of a request."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def get_socket(self) -> socket.socket:
        return self._connection


def test_a_connection_knows_when_its_client_has_gone() -> None:
    ours, theirs = socket.socketpair()
    connection = host.Connection({INPUT: Input(ours)})
    assert not connection.gone()
    theirs.sendall(b"more")
    assert not connection.gone()
    assert ours.recv(10) == b"more"  # it only looked
    theirs.close()
    assert connection.gone()
    ours.close()
    assert connection.gone()
    assert not host.Connection({}).gone()


def test_a_timeout_may_have_an_error_of_its_own() -> None:
    with pytest.raises(LookupError, match="too slow"), host.Timeout(0.01, LookupError("too slow")):
        host.sleep(60)


def test_a_timeout_ends_the_wait_for_an_offloaded_call() -> None:
    may_end = threading.Event()
    with pytest.raises(host.Timeout), host.Timeout(0.01):
        host.offload(may_end.wait, 60)
    may_end.set()


def test_nothing_happens_between_two_waits() -> None:
    inside: list[int] = []
    most = 0

    def work() -> None:
        nonlocal most
        for _ in range(50):
            inside.append(1)
            most = max(most, len(inside))
            sum(range(2000))  # the interpreter may look for other threads here
            inside.pop()
            host.sleep(0)

    for task in [host.spawn(work) for _ in range(8)]:
        task.wait()
    assert most == 1


def test_all_tasks_get_their_turns() -> None:
    turns: list[int] = []

    def walk(number: int) -> None:
        for _ in range(20):
            turns.append(number)
            host.sleep(0)

    for task in [host.spawn(walk, number) for number in range(4)]:
        task.wait()
    for begin in range(0, 80, 4):
        assert sorted(turns[begin : begin + 4]) == [0, 1, 2, 3]


def test_who_waits_for_a_descriptor_is_told_when_it_is_closed() -> None:
    ours, theirs = socket.socketpair()
    found: list[BaseException] = []

    def wait() -> None:
        try:
            host.wait_readable(ours.fileno())
        except OSError as error:
            found.append(error)

    task = host.spawn(wait)
    host.sleep(0.01)
    host.closing(ours.fileno())
    ours.close()
    task.wait()
    assert found
    theirs.close()


def test_a_task_that_is_ended_may_wait_on_its_way_out() -> None:
    went: list[str] = []

    def walk() -> None:
        try:
            host.sleep(60)
        finally:
            went.append("ending")
            host.sleep(0.01)
            went.append("ended")

    task = host.spawn(walk)
    host.sleep(0.01)
    task.kill()
    assert went == ["ending"]
    until(lambda: went == ["ending", "ended"])


def test_what_has_not_begun_is_ended_before_it_does() -> None:
    went: list[str] = []
    host.spawn(went.append, "on").kill()
    host.sleep(0.01)
    assert went == []


CHOICE = """
from flask_realtime import ConfigurationError, host
host.use("threading")
assert host.ASYNC_MODE == "threading"
host.use("threading")
for name in ("eventlet", "asyncio"):
    try:
        host.use(name)
    except ConfigurationError as error:
        print(error)
"""


def test_a_process_has_one_hub() -> None:
    result = subprocess.run(
        [sys.executable, "-c", CHOICE], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    first, second = result.stdout.splitlines()
    assert "this process runs on 'threading' already" in first, result.stderr
    assert "there is no 'asyncio'; there are eventlet, threading" in second


FORK = """
import os
from flask_realtime import host
host.use("threading")
with host.entered():
    host.spawn(host.sleep, 0).wait()
    pid = os.fork()
    if not pid:
        host.spawn(host.offload, int, "1").wait()
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_child_that_was_forked_has_a_hub_of_its_own() -> None:
    result = subprocess.run(
        [sys.executable, "-c", FORK], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "7\n", result.stderr
