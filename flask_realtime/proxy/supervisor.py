"""Supervisor: starts an app server when it is needed, and keeps it running until it is not."""

from __future__ import annotations

import atexit
import math
import os
import select
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from flask_realtime.childenviron import check_environ, child_environ
from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.childprocess import ChildProcess
from flask_realtime.proxy.errors import NotReady
from flask_realtime.proxy.output import Output
from flask_realtime.proxy.placement import Placement, place
from flask_realtime.proxy.readiness import is_ready, is_taken
from flask_realtime.proxy.status import Status
from flask_realtime.proxy.upstream import Address
from flask_realtime.proxy.waiters import Waiters

FIRST_DELAY = 0.1  # s before it is started again; doubled each time that it does not live
LAST_DELAY = 30.0
STABLE_SECONDS = 60.0
PROBE_EVERY = 0.05
# A start that failed once may be bad luck; after two, requests are told at once.
HOPELESS_STARTS = 2
# Between the end of an app server and the supervisor's knowing of it; then a request gives up.
NOTICE_SECONDS = 2.0


class Supervisor:
    """Runs `command` as a child process, in a native thread of its own.

    It starts on demand, with the first request, or by `start`; is ready once it answers HTTP; is
    started again when it dies, and stopped after `idle_stop` seconds without a request. `stop` by
    hand lasts until `start`. `eager`: `start_apps` starts it. What it prints is in `output`. It is
    ended by SIGTERM, after `grace` seconds by SIGKILL, with all its descendants, and also when
    this process dies, however that happens (Linux).

    Of this process' environment it gets what harmless variables say (childenviron.py) and those
    that `inherit` names, and beside them `environ`. Raises ConfigurationError.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        inherit: Iterable[str] = (),
        eager: bool = False,
        ready_path: str = "",
        ready_timeout: float = 60.0,
        idle_stop: float | None = None,
        grace: float = 5.0,
    ) -> None:
        if not command or isinstance(command, str):
            raise ConfigurationError(f"{command!r} is no command: expected a list of arguments")
        self.output = Output()
        self.eager = eager
        # Called in any thread on each change of `status`; must not wait.
        self.changed: Callable[[], object] = lambda: None
        self._command = list(command)
        self._cwd = cwd
        self._environ = dict(environ or {})
        self._inherit = inherit if isinstance(inherit, str) else tuple(inherit)
        check_environ(self._inherit, self._environ)
        self._ready_path = ready_path
        self._ready_timeout = ready_timeout
        self._idle_stop = idle_stop
        self._grace = grace
        self._placement: Placement | None = None
        self._lock = threading.RLock()  # start, stop and changes of the state
        self._thread: threading.Thread | None = None
        self._waker = -1  # the end of a pipe that wakes the thread
        self._wanted = False
        self._held = False  # stopped by hand
        self._renewed = False  # the child that is there is to end, another one to start
        self._status = Status("stopped", None, time.time(), 0, "")
        self._failed_starts = 0
        self._start_at = 0.0
        self._waiters = Waiters()
        self._uses = 0
        self._used = 0.0

    def place(self, upstream: str, prefix: str) -> str:
        """Settle where it listens, and put that into its arguments; the upstream's address."""
        self._placement = found = place(self._command, upstream, prefix)
        self._ready_path = self._ready_path or f"{found.base}/"
        return found.upstream

    @property
    def status(self) -> Status:
        """Any thread."""
        return self._status

    def start(self) -> None:
        """Have it run, also after a `stop`. Returns at once; any thread."""
        with self._lock:
            self._held = False
            self._failed_starts = 0
            self._start_at = 0.0
            self._run_thread()

    def stop(self) -> None:
        """End it and wait for its end; a request does not start it again, only `start` does.

        Blocks for as long as the child takes, `grace` at most: from a greenlet, offload it.
        """
        thread = self.ask_to_stop()
        if thread is not None:
            thread.join()
        atexit.unregister(self.stop)

    def ask_to_stop(self) -> threading.Thread | None:
        """Begin to stop it; the thread that then ends. Does not wait; any thread."""
        with self._lock:
            self._held = True
            self._wanted = False
            self._wake()
            if self._thread is None:  # nobody else says that it is held
                self._say("stopped")
            return self._thread

    def restart(self) -> None:
        """End it if it runs, and have it run again; requests wait. Returns at once; any thread."""
        with self._lock:
            if self._status.pid is not None:
                self._renewed = True
                self._say("stopping")
            self.start()

    def wait_ready(self, seconds: float, lost: Status | None = None) -> None:
        """Make the calling greenlet wait until it is ready; started if need be.

        `lost` is a status that was ready and, as it turned out, was not any more. Raises NotReady
        after `seconds`, or at once when it is stopped or does not come up.
        """
        if self._status.state == "ready" and lost is None:
            return
        with self._lock:
            if self._held:
                raise NotReady("The app was stopped. It runs again once somebody starts it.")
            self._used = time.monotonic()
            self._run_thread()
        noticed = lost is None or self._waiters.wait(
            lambda: self._status is not lost, NOTICE_SECONDS
        )
        if noticed:
            self._waiters.wait(self._is_settled, seconds)
        if self._status.state != "ready" or not noticed:
            patience = max(1, math.ceil(self._start_at - time.monotonic()))
            raise NotReady("The app is not ready yet. This page looks again.", patience)

    def _is_settled(self) -> bool:
        """Whether waiting is of no more use."""
        hopeless = self._failed_starts >= HOPELESS_STARTS
        return hopeless or self._held or self._status.state == "ready"

    def begin_use(self) -> None:
        """A request is on its way: it is not idle. Hub only."""
        self._uses += 1

    def end_use(self) -> None:
        self._uses -= 1
        self._used = time.monotonic()

    def _run_thread(self) -> None:
        if self._placement is None:
            raise ConfigurationError("this supervisor has no place: give it to a ReverseProxy")
        if self._wanted:
            self._wake()
            return
        previous, self._wanted = self._thread, True
        self._used = time.monotonic()
        if self._status.state == "stopped":  # whoever asked for it must not find it so
            self._say("starting")
        wake, self._waker = os.pipe()
        os.set_blocking(wake, False)
        name = f"supervisor of {os.path.basename(self._command[0])}"
        self._thread = threading.Thread(
            target=self._keep, args=(previous, wake, self._waker), name=name, daemon=True
        )
        atexit.register(self.stop)
        self._thread.start()

    def _wake(self) -> None:
        if self._waker >= 0:
            os.write(self._waker, b"\0")

    def _keep(self, previous: threading.Thread | None, wake: int, waker: int) -> None:
        """The thread: it alone starts the child, reads from it and waits for its end."""
        if previous is not None:
            previous.join()
        delay = FIRST_DELAY
        try:
            while self._wanted:
                lived = self._live(wake)
                if self._renewed:
                    self._renewed, delay = False, FIRST_DELAY
                    continue
                delay = FIRST_DELAY if lived > STABLE_SECONDS else delay
                if self._wanted:
                    self._start_at = time.monotonic() + delay
                    self._say("waiting")
                    _wait_for(wake, delay)
                delay = min(2 * delay, LAST_DELAY)
        finally:
            with self._lock:
                if self._waker == waker:
                    self._waker = -1
                os.close(wake)
                os.close(waker)
                if self._thread is threading.current_thread():
                    self._thread = None
                    self._say("stopped")

    def _live(self, wake: int) -> float:
        """One life of the child; returns for how many seconds it was ready."""
        placed = self._placement
        assert placed is not None
        self._say("starting", starts=self._status.starts + 1)
        if is_taken(placed.address):
            self._fail(f"another program listens at {placed.address}")
            return 0.0
        try:
            if placed.folder is not None:
                shutil.rmtree(placed.folder, ignore_errors=True)
                placed.folder.mkdir(mode=0o700)
            environ = child_environ(os.environ, self._inherit, self._environ)
            child = ChildProcess(placed.command, grace=self._grace, cwd=self._cwd, environ=environ)
        except OSError as error:
            self._fail(f"{placed.command[0]} cannot be started: {error}")
            return 0.0
        try:
            return self._watch(child, wake, placed.address)
        finally:
            if placed.folder is not None:
                shutil.rmtree(placed.folder, ignore_errors=True)

    def _watch(self, child: ChildProcess, wake: int, address: Address) -> float:
        began, ready_since, fault = time.monotonic(), 0.0, ""
        self._say("starting", pid=child.pid)
        asked = False
        while True:
            starting = not ready_since and not asked
            readable = select.select([child.output, wake], [], [], PROBE_EVERY if starting else 1)
            if wake in readable[0]:
                os.read(wake, 4096)
            if child.output in readable[0]:
                if not (data := child.read()):
                    break
                self.output.write(data)
            now = time.monotonic()
            if starting and is_ready(address, self._ready_path):
                ready_since = now
                self._failed_starts = 0
                self._say("ready")
            elif starting and now - began > self._ready_timeout:
                fault = f"it was not ready in {self._ready_timeout:g} s"
            self._end_if_idle()
            if (fault or self._renewed or not self._wanted) and not asked:
                asked = True
                self._say("stopping")
                child.ask_to_end()
        ended = child.wait()
        if self._renewed and self._wanted:
            self.output.write(b"[it is started again, as asked]\n")
        elif self._wanted or fault:
            self._fail(fault or f"it {ended}", came_up=bool(ready_since))
        return time.monotonic() - ready_since if ready_since else 0.0

    def _end_if_idle(self) -> None:
        if self._idle_stop is None or self._uses:
            return
        with self._lock:  # a request that comes now finds it wanted, or starts it anew
            if not self._waiters and time.monotonic() - self._used > self._idle_stop:
                self._wanted = False

    def _fail(self, fault: str, *, came_up: bool = False) -> None:
        self._failed_starts += not came_up
        self.output.write(f"[{fault}]\n".encode())
        self._say("waiting", fault=fault)

    def _say(
        self, state: str, *, pid: int | None = None, starts: int | None = None, fault: str = ""
    ) -> None:
        """Change the status, and wake the greenlets that wait for what it is now."""
        before = self._status
        ended = state in ("stopped", "waiting") or starts is not None
        with self._lock:
            self._status = Status(
                state,
                None if ended else pid or before.pid,
                time.time() if state != before.state else before.since,
                before.starts if starts is None else starts,
                fault or before.fault,
                self._failed_starts,
                self._held,
            )
        self._waiters.wake()
        self.changed()


def _wait_for(wake: int, seconds: float) -> None:
    if select.select([wake], [], [], seconds)[0]:
        os.read(wake, 4096)
