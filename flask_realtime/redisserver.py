"""An embedded redis-server: it lives and dies with this program, its data stay."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from urllib.parse import quote

from flask_realtime.errors import ConfigurationError, StoreUnavailable
from flask_realtime.folderlock import lock_folder
from flask_realtime.store.redisbinary import find_binary, server_version
from flask_realtime.store.redissocket import SOCKET, make_folder, ping

START_TIMEOUT = 10.0
# A server that reads a large file of data answers LOADING meanwhile: it is well and takes its time.
LOADING_TIMEOUT = 300.0
STOP_TIMEOUT = 10.0
LOG_MAX_BYTES = 1 << 20
LOG_LINES_SHOWN = 8

# Runs before the server, in its process: PR_SET_PDEATHSIG (1) survives exec. It is a program of its
# own because Python code between fork and exec may deadlock in a program that has threads.
_DIE_WITH_PARENT = f"""
import ctypes, os, sys
ctypes.CDLL(None, use_errno=True).prctl(1, {signal.SIGTERM:d}, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the program that started the server has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


class RedisServer:
    """A redis-server on a Unix socket in a private folder, its data in `data`.

    It is ended by `stop`, by the end of the `with` block, and by the kernel when this program dies,
    however it dies (Linux). If it dies itself, it is started again on the same socket. A thread of
    its own starts it and waits for it: the kernel ties the child to the *thread* that started it,
    so that `start` may be called from any thread, also from one that ends soon.

    All methods block; `alive`, `pid` and `url` do not.
    """

    def __init__(self, data: Path, *, binary: Path | None = None) -> None:
        self.data = data.absolute()
        self.log = self.data / "redis.log"
        self.restarts = 0
        self._binary = binary
        self._folder: Path | None = None
        self._lock: BinaryIO | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._stopping = threading.Event()
        self._fault = ""

    @property
    def url(self) -> str:
        """The address for redis-py, the same over restarts, also those of this program, so that
        workers beside it find it again. Raises RuntimeError before `start`."""
        if self._folder is None:
            raise RuntimeError("the embedded redis-server is not started")
        return "unix://" + quote(str(self._socket))

    @property
    def alive(self) -> bool:
        """Whether its process runs now (it may still be loading, or not answer)."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> RedisServer:
        """Start it and return once it answers.

        Raises ConfigurationError: no server is installed, it is too old, the folder cannot be used
        or is in use, or it does not come up (with the last lines of its log).
        """
        if self._folder is not None:
            raise RuntimeError("the embedded redis-server is already started")
        binary = self._binary or find_binary()
        version = server_version(binary)
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = lock_folder(self.data)
        except OSError as error:
            raise ConfigurationError(
                f"REDIS_DATA: the folder {self.data} cannot be used: {error.strerror}"
            ) from error
        try:
            if version < (7, 0) and (self.data / "appendonlydir").is_dir():
                raise ConfigurationError(
                    f"REDIS_DATA: {self.data} was written by Redis 7 or newer, which {binary} "
                    f"({version[0]}.{version[1]}) cannot read: set REDIS_DATA to another folder"
                )
            self._folder = make_folder(self.data)
            self._rotate_log()
            log_start = self.log.stat().st_size if self.log.exists() else 0
            self._stopping.clear()
            self._process, self._fault = None, ""
            self._keeper = threading.Thread(
                target=self._keep, args=(binary,), name="redis-server keeper", daemon=True
            )
            self._keeper.start()
            if not self._wait_until_it_answers(give_up_when_it_dies=True):
                raise ConfigurationError(
                    f"the embedded redis-server ({binary}) did not come up: "
                    f"{self._fault or 'it does not answer'}",
                    *self._last_lines(log_start),
                )
        except BaseException:
            self.stop()
            raise
        return self

    def ensure_running(self) -> None:
        """Return once it answers, after a death as well.

        Raises StoreUnavailable if it is not started, or does not answer in START_TIMEOUT.
        """
        if self._folder is None or not self._wait_until_it_answers():
            raise StoreUnavailable(
                f"the embedded redis-server does not answer; its log is {self.log}"
            )

    def stop(self) -> None:
        """End it: ask by SIGTERM (it writes its data), then kill; remove its socket's folder."""
        self._stopping.set()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.join()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def __enter__(self) -> RedisServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _socket(self) -> Path:
        assert self._folder is not None
        return self._folder / SOCKET

    def _keep(self, binary: Path) -> None:
        """The keeper thread: it alone starts the process, ends it and waits for it."""
        delay = 0.05
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._process = process = self._launch(binary)
            except OSError as error:
                self._fault = f"cannot be run: {error.strerror}"
            else:
                while process.poll() is None and not self._stopping.wait(0.1):
                    pass
                if self._stopping.is_set():
                    _end(process)
                    return
                self._fault = f"ended with {_exit(process.returncode)}"
            if time.monotonic() - began > 60:
                delay = 0.05
            self._stopping.wait(delay)
            delay = min(delay * 2, 5.0)
            self.restarts += 1

    def _launch(self, binary: Path) -> subprocess.Popen[bytes]:
        assert self._lock is not None
        self._socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": "",
        }
        command = [str(binary)]
        for name, value in options.items():
            command += [f"--{name}", value]
        if sys.platform == "linux" and sys.executable:
            wrapper = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
            command = wrapper + command
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl+C on the terminal is for the program, which then stops the server.
                start_new_session=True,
                umask=0o077,
                # The server holds the lock as well: when the program is killed, the folder is free
                # only once the server has written its data.
                pass_fds=[self._lock.fileno()],
            )

    def _wait_until_it_answers(self, *, give_up_when_it_dies: bool = False) -> bool:
        begin = time.monotonic()
        while True:
            answer = ping(self._socket)
            if answer.startswith(b"+PONG"):
                return True
            if give_up_when_it_dies and self._fault:
                return False
            patience = LOADING_TIMEOUT if answer.startswith(b"-LOADING") else START_TIMEOUT
            if time.monotonic() - begin > patience:
                return False
            if self._stopping.wait(0.01):
                return False

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            os.replace(self.log, self.log.with_suffix(".log.1"))

    def _last_lines(self, since: int) -> list[str]:
        if not self.log.exists():
            return []
        with open(self.log, "rb") as log:
            log.seek(since)
            lines = log.read().decode("utf-8", "replace").splitlines()
        return [f"  {line.strip()}" for line in lines if line.strip()][-LOG_LINES_SHOWN:]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
