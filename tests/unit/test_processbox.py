"""Runs in processes: what reaches the watcher, how they end, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flask_realtime.isolation.box import Exit, Processes
from tests.support.boxes import COMMANDS, Boxed, command, program
from tests.support.hub import until

NONE_LEFT = Processes(0, 0)
SUCCEEDED = Exit("succeeded", 0, "finished", NONE_LEFT)
# Signals 32 and 33, which no program can set: glibc's posix_spawn leaves them ignored, and
# subprocess of Python 3.13 and newer calls that. Whoever started this process may have.
OWN_SIGNALS_OF_LIBC = 0b11 << 31


def python(code: str, *arguments: str, **options: object) -> Boxed:
    return Boxed(command(sys.executable, "-c", code, *arguments, **options))


def test_a_command_prints_and_ends() -> None:
    box = Boxed(command("echo", "hi"))
    assert box.end() == SUCCEEDED
    assert box.output == b"hi\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_every_byte_arrives_as_it_was_printed(terminal: bool) -> None:
    box = Boxed(program("prints_binary.py", terminal=terminal))
    assert box.end() == SUCCEEDED
    assert box.output == bytes(range(256)) * 4 + b"\r\n\n\r\x00\x04\x03\xff\xfe\xe4"


def test_on_a_terminal_both_outputs_are_one_and_on_pipes_they_are_apart() -> None:
    code = "import os; os.write(1, b'out'); os.write(2, b'err'); print(os.isatty(0), os.isatty(1))"
    on_terminal, on_pipes = python(code), python(code, terminal=False)
    assert (on_terminal.end(), on_pipes.end()) == (SUCCEEDED, SUCCEEDED)
    assert on_terminal.of(1) == b"outerrTrue True\n"
    assert (on_pipes.of(1), on_pipes.of(2)) == (b"outFalse False\n", b"err")


def test_what_descendants_and_c_code_print_arrives() -> None:
    box = python("import os; os.system('echo one; (sh -c \"echo two >&2\")')")
    assert box.end() == SUCCEEDED
    assert box.output == b"one\ntwo\n"


def test_the_exit_code_is_told() -> None:
    assert python("raise SystemExit(3)").end() == Exit("failed", 3, "exited with code 3", NONE_LEFT)


def test_a_crash_is_told_with_its_signal() -> None:
    box = Boxed(program("segfaults.py"))
    reason = "ended by SIGSEGV (segmentation fault)"
    assert box.end() == Exit("failed", 139, reason, NONE_LEFT)
    assert box.output == b"now\n"


def test_a_kill_by_somebody_else_is_told() -> None:
    box = python("import os; os.kill(os.getpid(), 9)")
    end = box.end()
    assert (end.state, end.code) == ("failed", 137)
    assert end.reason.startswith("ended by SIGKILL (by somebody else, or by the kernel")


def test_a_slow_watcher_makes_it_wait_and_loses_nothing() -> None:
    size = 30_000_000
    box = Boxed(program("floods.py", str(size)), slow=0.02)
    assert box.end(60) == SUCCEEDED
    lines = box.output.splitlines()
    assert len(box.output) == size
    assert [int(line) for line in lines] == [number % 1000 for number in range(len(lines))]


# What it gets to see


def test_it_inherits_no_descriptor_of_the_server() -> None:
    kept = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(kept, True)
    try:
        box = python(
            "import os\n"
            "for name in sorted(os.listdir('/proc/self/fd'), key=int):\n"
            "    if os.path.exists('/proc/self/fd/' + name): print(name)"
        )
        assert box.end() == SUCCEEDED
    finally:
        os.close(kept)
    assert box.output.split() == [b"0", b"1", b"2"]


def test_it_gets_harmless_variables_and_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CLIENT_SECRET": "s3cret", "SOME_TOKEN": "s3cret", "COLUMNS": "7"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NAMED", "yes")
    job = command(
        *("env", "-0"), inherit=["NAM*"], environ={"OF_THE_JOB": "job {who}"}, defaults={"who": "x"}
    )
    box = Boxed(job, environ={"OF_A_HOOK": "hook"}, who="ada")
    assert box.end() == SUCCEEDED
    seen = dict(pair.split("=", 1) for pair in box.output.decode().split("\0") if pair)
    assert "s3cret" not in seen.values()
    assert "COLUMNS" not in seen
    assert (seen["NAMED"], seen["OF_A_HOOK"], seen["OF_THE_JOB"]) == ("yes", "hook", "job ada")
    assert (seen["TERM"], seen["PAGER"], seen["PATH"]) == (
        *("xterm-256color", "cat"),
        os.environ["PATH"],
    )
    assert seen["FLASK_REALTIME_RUN"] == box.run.id


def test_a_terminal_has_the_size_that_is_set() -> None:
    box = python("import os; print(*os.get_terminal_size())")
    box.end()
    assert box.output == b"120 30\n"


def test_it_stands_back_behind_the_server() -> None:
    box = python(
        "import os, resource\n"
        "print(os.nice(0), open('/proc/self/oom_score_adj').read().strip(),\n"
        "      resource.getrlimit(resource.RLIMIT_CORE)[0], os.getsid(0) == os.getpid())"
    )
    assert box.end() == SUCCEEDED
    nice = min(os.nice(0) + 5, 19)
    assert box.output.decode().split() == [str(nice), "500", "0", "True"]


def test_signals_are_as_they_are_by_default() -> None:
    """Although a shell lets what it starts in the background ignore some."""
    ignoring = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        box = Boxed(command("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"))
        box.end()
    finally:
        signal.signal(signal.SIGQUIT, ignoring)
    masks = [int(line.split()[1], 16) for line in box.output.splitlines()]
    assert [mask & ~OWN_SIGNALS_OF_LIBC for mask in masks] == [0, 0]


def test_it_runs_in_the_folder_that_is_named(tmp_path: Path) -> None:
    box = Boxed(command("pwd", "-P", cwd=tmp_path))
    box.end()
    assert box.output.decode().strip() == str(tmp_path.resolve())


# Stop


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_stop_asks_by_the_signal_that_is_set(name: str) -> None:
    number = getattr(signal, name).value
    box = python(
        "import signal, sys\n"
        f"signal.signal({number}, lambda *_: (print('bye'), sys.exit(4)))\n"
        "print('here', flush=True)\n"
        "signal.pause()",
        stop_signal=name,
    )
    box.printed(b"here\n")
    box.box.stop()
    assert box.end() == Exit("stopped", 4, "stopped", Processes(1, 0))
    assert box.output == b"here\nbye\n"


def test_stop_reaches_a_group_like_a_pipeline() -> None:
    box = Boxed(command("sh", "-c", "echo here; sleep 1000 | sleep 1000; echo never"))
    box.printed(b"here\n")
    until(lambda: len(psutil.Process(box.pid()).children()) == 2)
    box.box.stop()
    assert box.end() == Exit("stopped", 143, "stopped", Processes(3, 0))


def test_force_ends_what_ignores_all_else() -> None:
    box = Boxed(program("ignores_term.py"))
    box.printed(b"not impressed\n")
    box.box.stop()
    box.box.force()
    assert box.end() == Exit("stopped", 137, "stopped by force", Processes(1, 0))


def test_a_stop_before_the_start_is_heard() -> None:
    box = Boxed(command("sleep", "1000"))
    box.box.stop()
    end = box.end()
    assert (end.state, end.processes) == ("stopped", Processes(1, 0))


def test_what_is_stopped_by_a_signal_is_ended_as_well() -> None:
    box = python("import os; print('x', flush=True); os.kill(os.getpid(), 19)")
    box.printed(b"x\n")
    until(lambda: psutil.Process(box.pid()).status() == psutil.STATUS_STOPPED)
    box.box.force()
    assert box.end() == Exit("stopped", 143, "stopped by force", Processes(1, 0))


def test_fifty_children_in_groups_of_their_own_are_ended() -> None:
    box = Boxed(program("forks_children.py"))
    box.printed(b"50 children\n")
    box.box.stop()
    assert box.end() == Exit("stopped", 143, "stopped", Processes(51, 0))


def test_a_daemon_does_not_outlive_its_run() -> None:
    box = Boxed(program("forks_a_daemon.py"))
    assert box.end() == Exit("succeeded", 0, "finished", Processes(1, 0))
    assert not psutil.pid_exists(int(box.output.split()[1]))


def test_a_daemon_is_ended_by_stop() -> None:
    box = Boxed(program("forks_a_daemon.py", "stay"))
    box.printed(b"\n")
    box.box.stop()
    assert box.end() == Exit("stopped", 143, "stopped", Processes(2, 0))
    assert not psutil.pid_exists(int(box.output.split()[1]))


def test_a_bound_ends_it_as_failed() -> None:
    box = Boxed(program("ignores_term.py"))
    box.printed(b"not impressed\n")
    box.box.end("it took longer than 1 s (timeout)")
    assert box.end() == Exit("failed", 137, "it took longer than 1 s (timeout)", Processes(1, 0))


def test_nothing_is_left_when_the_keeper_is_killed() -> None:
    box = Boxed(program("forks_a_daemon.py", "stay"))
    box.printed(b"\n")
    daemon = int(box.output.split()[1])
    os.kill(box.keeper().pid, signal.SIGKILL)
    end = box.end()
    assert (end.state, end.code) == ("failed", None)
    assert end.reason == "the program that keeps its processes ended by SIGKILL"
    assert end.processes is not None
    assert end.processes.left == 0
    until(lambda: not psutil.pid_exists(daemon))


def test_a_keeper_that_is_asked_to_end_ends_its_run_first() -> None:
    box = Boxed(program("forks_a_daemon.py", "stay"))
    box.printed(b"\n")
    os.kill(box.keeper().pid, signal.SIGTERM)
    assert box.end() == Exit("failed", 143, "ended by SIGTERM (terminated)", Processes(2, 0))


def test_nothing_is_left_when_the_server_is_killed() -> None:
    """The server is a child of this test here, and runs a box."""
    server = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "from tests.support.boxes import Boxed, program\n"
            "box = Boxed(program('forks_a_daemon.py', 'stay'))\n"
            "box.printed(b'\\n')\n"
            "print(box.pid(), box.keeper().pid, int(box.output.split()[1]), flush=True)\n"
            "box.end(60)\n",
        ],
        cwd=COMMANDS.parents[2],
        stdout=subprocess.PIPE,
    )
    with server:
        assert server.stdout is not None
        pids = [int(word) for word in server.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(psutil.pid_exists, pids))
        server.kill()
    until(lambda: not any(map(psutil.pid_exists, pids)))


# Bounds


def test_cpu_seconds_of_all_processes_together_are_bounded() -> None:
    box = Boxed(program("spins.py", max_cpu_seconds=0.4))
    end = box.end()
    assert (end.state, end.processes) == ("failed", Processes(2, 0))
    assert end.reason == "it used more than 0.4 s of CPU time (max_cpu_seconds)"


def test_memory_of_all_processes_together_is_bounded() -> None:
    box = Boxed(program("eats_memory.py", max_memory_mib=100))
    end = box.end()
    assert (end.state, end.processes) == ("failed", Processes(1, 0))
    assert end.reason == "it took more than 100 MiB of memory (max_memory_mib)"


def test_memory_that_children_share_counts_once() -> None:
    box = python(
        "import os\n"
        "taken = b'x' * (40 << 20)\n"
        "for _ in range(4):\n"
        "    if not os.fork(): input(); os._exit(0)\n"
        "print('here', flush=True)\n"
        "for _ in range(4): os.wait()",
        max_memory_mib=100,
    )
    box.printed(b"here\n")
    box.prompt()  # several looks have been taken by then
    box.box.input(b"\n" * 4)
    assert box.end() == SUCCEEDED
