"""The keeper's parts, each by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.keeper import procfs, terminal
from flask_realtime.isolation.keeper.bounds import Bounds
from flask_realtime.isolation.keeper.cgroup import Cgroup, make_cgroup, own_folder
from flask_realtime.isolation.keeper.feeder import Feeder
from flask_realtime.isolation.keeper.messages import Decoder, encode
from flask_realtime.isolation.keeper.pump import MOST, READ_BYTES, Pump
from flask_realtime.isolation.processexit import Asked, exit_of
from flask_realtime.isolation.program import Program
from tests.support.patience import eventually

MESSAGES = [{"input": "\x00\xff\n"}, {"report": 1}, {"argv": ["\udcff"]}]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_arrive_however_they_are_cut(size: int) -> None:
    data = b"".join(map(encode, MESSAGES))
    decoder = Decoder()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == MESSAGES


def test_the_keeper_loads_next_to_nothing() -> None:
    program = (
        "import sys; sys.path.append('.'); import flask_realtime.isolation.keeper.keeper\n"
        "ours = [name for name in sys.modules if name.startswith('flask_realtime')]\n"
        "home = 'flask_realtime.isolation.keeper'\n"
        "print([name for name in ours if not f'{home}.'.startswith(f'{name}.')\n"
        "       and not name.startswith(f'{home}.')])\n"
        "print([name for name in ('flask', 'eventlet', 'msgspec') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "[]\n[]\n", result.stderr


# Output


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    """A pipe to read from and one to write to."""
    ends = (*os.pipe(), *os.pipe())
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_a_pump_holds_no_more_than_its_bound(pipes: tuple[int, int, int, int]) -> None:
    source, printing, reading, sink = pipes
    pump = Pump(source, sink)
    printed = taken = 0
    while not pump.full:
        printed += os.write(printing, b"x" * 50_000)
        pump.take(0.0)
    assert pump.bytes <= MOST + READ_BYTES + 65536  # what the pipe behind it holds
    os.close(printing)
    while not pump.done:
        try:
            taken += len(os.read(reading, 1 << 20))
        except BlockingIOError:
            pump.take(0.0)
    assert taken + len(_rest(reading)) == printed == pump.bytes


def _rest(reading: int) -> bytes:
    try:
        return os.read(reading, 1 << 20)
    except BlockingIOError:
        return b""


def test_small_pieces_gather_and_one_after_a_pause_goes_at_once(
    pipes: tuple[int, int, int, int],
) -> None:
    source, printing, reading, sink = pipes
    pump = Pump(source, sink)
    os.write(printing, b"one")
    pump.take(10.0)
    assert (pump.rest_until <= 10.0, _rest(reading)) == (True, b"one")
    os.write(printing, b"two")
    pump.take(10.001)
    assert pump.rest_until > 10.001
    os.write(printing, b"three")
    pump.take(20.0)
    assert pump.rest_until < 20.0


def test_a_pump_whose_reader_is_gone_lets_the_run_go_on_to_its_end(
    pipes: tuple[int, int, int, int],
) -> None:
    source, printing, reading, sink = pipes
    pump = Pump(source, sink)
    os.close(reading)
    os.write(printing, b"x")
    pump.take(0.0)
    assert not pump.wants_to_write
    os.write(printing, b"y")
    pump.take_rest()
    assert pump.done


# The terminal


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    ours, theirs = terminal.open_terminal(81, 24)
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_a_terminal_passes_bytes_as_they_are(ends: tuple[int, int]) -> None:
    ours, theirs = ends
    os.write(theirs, b"a\nb\r\n\x13\x11")
    assert os.read(ours, 100) == b"a\nb\r\n\x13\x11"
    assert os.get_terminal_size(theirs) == (81, 24)
    assert (terminal.by_line(ours), terminal.hides(ours)) == (True, False)


def test_the_end_of_input_is_told_in_a_line_that_has_begun(ends: tuple[int, int]) -> None:
    ours, theirs = ends
    feeder = Feeder(ours, on_terminal=True)
    feeder.add(b"begun")
    assert feeder.write() == 5
    feeder.end()
    assert [os.read(theirs, 100), os.read(theirs, 100)] == [b"begun", b""]
    feeder.add(b"more")  # after the end there is no more
    feeder.repeat_end()
    assert os.read(theirs, 100) == b""


# Processes


def test_all_that_descend_are_found_whatever_their_names() -> None:
    with subprocess.Popen(
        ["sh", "-c", "exec -a 'x) R 1 (' sleep 1000 & wait"], executable="/bin/bash"
    ) as shell:
        try:
            found = eventually(
                lambda: [each for each in procfs.below(os.getpid()) if each.parent == shell.pid]
            )
            assert [each.pid for each in procfs.below(shell.pid)] == [each.pid for each in found]
            assert all(procfs.memory(each.pid) >= 0 for each in found)
        finally:
            for each in procfs.below(shell.pid):
                os.kill(each.pid, signal.SIGKILL)
            shell.kill()


def test_what_has_ended_is_nothing() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert procfs.read(ended.pid) is None
    assert (procfs.threads(ended.pid), procfs.memory(ended.pid)) == ([], 0)
    assert procfs.command(ended.pid) == "[]"


def test_a_kernel_without_lists_of_children_is_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        try:
            monkeypatch.setattr(os.path, "exists", lambda path: False)
            assert child.pid in [each.pid for each in procfs.below(os.getpid())]
        finally:
            child.kill()


def test_without_bounds_nothing_is_looked_at() -> None:
    assert Bounds(None, None).every is None
    assert Bounds(None, None).broken([]) is None
    assert Bounds(1.0, None).every is not None
    own = procfs.read(os.getpid())
    assert own is not None
    assert Bounds(None, 1).broken([own]) == "memory"
    assert Bounds(1e-9, None).broken([own]) == "cpu"


# Control groups: a folder stands for one where the host has none


def test_a_group_is_told_by_its_files(tmp_path: Path) -> None:
    group = make_cgroup("run", str(tmp_path))
    assert group is not None
    for name in ("cgroup.procs", "cgroup.kill", "memory.max"):
        Path(group.folder, name).touch()
    group.enter()
    group.bound_memory(1 << 20)
    group.kill()
    said = {file.name: file.read_text() for file in Path(group.folder).iterdir()}
    assert said == {"cgroup.procs": "0", "cgroup.kill": "1", "memory.max": "1048576"}
    assert group.bounds_memory
    assert not group.has_run_out_of_memory()
    Path(group.folder, "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert group.has_run_out_of_memory()
    for file in Path(group.folder).iterdir():
        file.unlink()
    group.remove()
    assert not os.path.exists(group.folder)
    group.remove()


def test_what_a_group_cannot_do_is_left_undone(tmp_path: Path) -> None:
    group = Cgroup(str(tmp_path / "absent"))
    group.bound_memory(1)
    group.kill()
    assert not group.bounds_memory
    assert make_cgroup("run", str(tmp_path / "absent")) is None
    tmp_path.joinpath("run").mkdir()
    assert make_cgroup("run", str(tmp_path)) is None


@pytest.mark.parametrize(
    ("belongs", "mounts", "folder"),
    [
        (
            b"0::/system.slice/app.service\n",
            b"30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n",
            "/sys/fs/cgroup/system.slice/app.service",
        ),
        (
            b"4:memory:/x\n0::/\n",
            b"31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            b"32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            "/sys/fs/cgroup/unified",
        ),
        (b"4:memory:/x\n", b"31 25 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", None),
        (b"0::/\n", b"31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", None),
        (b"", b"", None),
    ],
)
def test_the_group_of_this_process_is_found(
    belongs: bytes, mounts: bytes, folder: str | None
) -> None:
    assert own_folder(belongs, mounts) == folder


# What a run's end is called

PROGRAM = Program(["x"], None, {}, None, signal.SIGTERM, cpu_seconds=2, memory_bytes=1 << 30)


def told(exit: int | None, how: str = "itself", bound: str | None = None, left: int = 0) -> dict:  # type: ignore[type-arg]
    return {"exit": exit, "how": how, "bound": bound, "ended": 1, "left": left}


@pytest.mark.parametrize(
    ("said", "asked", "end"),
    [
        (told(0), Asked(), ("succeeded", 0, "finished")),
        (told(7 << 8), Asked(), ("failed", 7, "exited with code 7")),
        (told(1), Asked(), ("failed", 129, "ended by SIGHUP (hangup)")),
        (told(0), Asked(stop=True), ("stopped", 0, "stopped")),
        (told(15, "term"), Asked(stop=True), ("stopped", 143, "stopped by force")),
        (told(9, "kill"), Asked(force=True), ("stopped", 137, "stopped by force")),
        (told(None, "kill", left=1), Asked(force=True), ("stopped", None, "stopped by force")),
        (told(0), Asked(broken="too long"), ("failed", 1, "too long")),
        (
            *(told(9, "kill", "memory"), Asked(stop=True)),
            ("failed", 137, "it took more than 1024 MiB of memory (max_memory_mib)"),
        ),
        (
            *(told(signal.SIGXCPU), Asked()),
            ("failed", 152, "it used more than 2 s of CPU time (max_cpu_seconds)"),
        ),
    ],
)
def test_the_end_of_a_run_is_told(
    said: dict[str, object], asked: Asked, end: tuple[str, int | None, str]
) -> None:
    found = exit_of(said, None, asked, PROGRAM)
    assert (found.state, found.code, found.reason) == end
    assert found.processes is not None
    assert found.processes.left == said["left"]


def test_one_that_is_forced_is_stopped_whatever_it_says_as_it_goes() -> None:
    failed = Exit("failed", 5, "exited with code 5")
    found = exit_of(told(5 << 8, "term"), failed, Asked(stop=True), PROGRAM)
    assert (found.state, found.code, found.reason) == ("stopped", 5, "stopped by force")
    assert exit_of(told(5 << 8), failed, Asked(stop=True), PROGRAM).state == "failed", "by itself"
    tidied = Exit("stopped", 0, "stopped")
    assert exit_of(told(0, "term"), tidied, Asked(stop=True), PROGRAM).reason == "stopped"


def test_a_keeper_that_hears_nothing_ends() -> None:
    keeper = Path(procfs.__file__).with_name("__main__.py")
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(keeper)], stdin=subprocess.DEVNULL, timeout=60
    )
    assert result.returncode == 1
