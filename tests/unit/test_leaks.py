"""The fixture that fails tests which leave something behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import leaks
from tests.support.leaks import Resource, held, left_behind, names

BRIEFLY = 0.2  # seconds that a leak made on purpose is waited for


def left_briefly(before: set[Resource]) -> list[str]:
    return names(left_behind(before, BRIEFLY))


def test_a_thread_is_named_with_where_it_is() -> None:
    before = held()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(20,), name="forgotten")
    thread.start()
    (left,) = left_briefly(before)
    assert left.startswith("thread 'forgotten' in ")
    assert "threading.py:" in left
    end.set()
    assert not left_behind(before)


def test_a_descriptor_is_named_with_what_it_leads_to() -> None:
    before = held()
    read_end, write_end = os.pipe()
    os.close(read_end)
    (left,) = left_briefly(before)
    assert left == f"descriptor {write_end} -> {os.readlink(f'/proc/self/fd/{write_end}')}"
    assert "pipe:[" in left
    os.close(write_end)
    assert not left_behind(before)


def test_a_descriptor_that_took_the_number_of_another_is_seen() -> None:
    first = os.open("/dev/null", os.O_RDONLY)
    before = held()
    os.close(first)
    second = os.open("/dev/zero", os.O_RDONLY)
    assert second == first
    assert left_briefly(before) == [f"descriptor {second} -> /dev/zero"]
    os.close(second)


def test_a_child_process_is_named_with_its_command_line() -> None:
    before = held()
    child = subprocess.Popen(["sleep", "20"])
    assert left_briefly(before) == [f"child process {child.pid}: sleep 20"]
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert left_briefly(before) == [f"child process {child.pid}: ended, and was not waited for"]
    child.wait()
    assert not left_behind(before)


def test_what_is_about_to_end_is_waited_for() -> None:
    before = held()
    threading.Timer(0.1, lambda: None).start()
    assert not left_behind(before)


def test_what_is_garbage_already_is_collected_first() -> None:
    class Holder:
        def __init__(self) -> None:
            self.itself = self
            self.descriptor = os.open("/dev/null", os.O_RDONLY)

        def __del__(self) -> None:
            os.close(self.descriptor)

    before = held()
    Holder()
    assert not left_behind(before)


def test_an_idle_pool_stays_and_a_busy_one_is_named() -> None:
    before = held()
    begin, end = threading.Event(), threading.Event()

    def wait() -> None:
        begin.set()
        end.wait(60)

    with ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
        pool.submit(int).result()
        assert not left_behind(before)
        pool.submit(wait)
        assert begin.wait(60)
        (left,) = left_briefly(before)
        end.set()
    assert left.startswith("thread 'mine_0'")


def test_the_hub_and_its_pool_stay() -> None:
    program = (
        "from tests.support.leaks import held, left_behind\n"
        "before = held()\n"
        "from flask_realtime import host\n"
        "host.sleep(0)\n"
        "assert host.offload(int, '7') == 7\n"
        "assert len(held() - before) >= 3\n"
        "assert not left_behind(before)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_processes_of_others_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done twice a test, and there may be thousands of them."""
    child = subprocess.Popen(["sleep", "20"])
    held()
    looked_at: list[int] = []
    parent = leaks._parent

    def count(pid: int) -> int | None:
        looked_at.append(pid)
        return parent(pid)

    monkeypatch.setattr(leaks, "_parent", count)
    held()
    child.kill()
    child.wait()
    assert child.pid in looked_at
    assert os.getppid() not in looked_at


LEAKY = """
import os, subprocess, threading, pytest

@pytest.fixture(scope="session")
def lasting():
    child = subprocess.Popen(["sleep", "21"])
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="lasting")
    thread.start()
    os.open("/dev/random", os.O_RDONLY)
    yield
    end.set(); thread.join(); child.kill(); child.wait()

@pytest.fixture
def careless():
    return os.open("/dev/full", os.O_WRONLY)

def test_thread():
    threading.Thread(target=threading.Event().wait, args=(2.5,), name="forgotten").start()

def test_descriptor():
    os.open("/dev/zero", os.O_RDONLY)

def test_child():
    subprocess.Popen(["sleep", "20"])

def test_fixture(careless):
    pass

def test_uses_what_lasts(lasting):
    pass

def test_asks_for_what_lasts_in_its_middle(request):
    request.getfixturevalue("lasting_too")

@pytest.fixture(scope="module")
def lasting_too():
    read_end, write_end = os.pipe()
    yield
    os.close(read_end); os.close(write_end)

def test_clean():
    read_end, write_end = os.pipe()
    os.close(read_end); os.close(write_end)
"""


def test_leaks_fail_the_test_that_makes_them_and_no_other(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.delenv("CI", raising=False)  # with it pytest repeats all in its summary
    pytester.makepyfile(LEAKY)
    program = (
        "import sys, pytest\n"
        "from tests.support import leaks\n"
        "leaks.left_behind.__defaults__ = (0.3,)\n"
        "sys.exit(pytest.main(['-q', '-W', 'ignore', '-p', 'tests.support.leaks']))\n"
    )
    result = pytester.run(sys.executable, "-c", program, timeout=50)
    result.assert_outcomes(passed=7, errors=5)
    text = result.stdout.str()
    for test, said in {
        "test_thread": "  thread 'forgotten' in *",
        "test_descriptor": "  descriptor * -> /dev/zero",
        "test_child": "  child process *: sleep 20",
        "test_fixture": "  descriptor * -> /dev/full",
    }.items():
        assert f"ERROR at teardown of {test} " in text
        result.stdout.fnmatch_lines([f"*ERROR at teardown of {test} *", "left behind:", said])
    result.stdout.fnmatch_lines(["left behind by the session:", "  descriptor * -> /dev/random"])
    assert text.count("  descriptor ") == 3
    assert "sleep 21" not in text
    assert "'lasting'" not in text
