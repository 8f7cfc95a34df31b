"""The child's end of the control socket: one thread that reads and writes all of it."""

from __future__ import annotations

import _thread
import errno
import itertools
import mmap
import os
import select
import signal
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from flask_realtime.isolation.ending import Exit
from flask_realtime.isolation.framing import (
    MAX_ORDER,
    MAX_SECRET,
    MAX_TELL,
    MAX_TEXT,
    Lines,
    encode,
    text_of,
)
from flask_realtime.masking import Secrets

PROGRESS_SECONDS = 0.2  # between two messages of how far the job is
_READ = 1 << 16


class Link:
    """Between the job's code, in any thread or signal handler, and the server.

    The job's code only appends to a queue and wakes the thread: there is no lock that it could
    hold when a signal's handler or a fork comes in between. A copy of this process that the job
    makes by `os.fork` has no link: nothing that it says is heard.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._lines = Lines(MAX_ORDER)
        self._orders: deque[dict[str, Any]] = deque()  # that have arrived
        self._tells: deque[dict[str, Any]] = deque()  # that are to be sent
        self._progress: tuple[float, float | None, str] = (0, None, "")
        self._progress_waits = False
        self._progress_at = 0.0  # when the next may be sent
        self._numbers = itertools.count(1)
        self._masks: dict[int, threading.Event] = {}  # that the server has not answered yet
        self._dumps: int | None = None
        self._begun = threading.Event()  # the server knows of us, or is gone
        self._ended = threading.Event()  # all was sent, or the server is gone
        self._exit: Exit | None = None
        self._gone = False
        self._cut = ""  # why the job itself cannot reach the server, while there is one
        # Shared with copies of this process, so that those that ask running() hear of a stop.
        self._stop_asked = mmap.mmap(-1, 1)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._ident = 0  # of the thread
        os.register_at_fork(after_in_child=self._forked)

    def first_order(self) -> dict[str, Any] | None:
        """Wait for the first message; None if the server is gone before. Before `start`."""
        while not self._orders:
            try:
                if not self._receive():
                    return None
            except ConnectionError:
                return None
        return self._orders.popleft()

    def start(self, dumps: int | None) -> None:
        """Begin to listen; return when the server was told, for the job may not let go of the
        interpreter. `dumps`: the descriptor of `stackfile.register`.
        """
        self._dumps = dumps
        # None of those that threading knows: programs join all of these at their end.
        _thread.start_new_thread(self._run, ())
        self._begun.wait()

    # For the job

    def running(self) -> bool:
        """What the job asks: False once it shall end."""
        return not self._stop_asked[0]

    def progress(self, done: float, total: float | None, label: str) -> None:
        """Tell how far the job is: the newest, at most each PROGRESS_SECONDS."""
        self._progress = (done, total, label)
        if not self._progress_waits and not self._cut:
            self._progress_waits = True
            self._wake()

    def mask(self, secret: str) -> None:
        """Return once the server masks `secret`. Raises RuntimeError where it cannot be told."""
        self._tell_and_wait({"mask": secret})
        if self._cut:
            raise RuntimeError(f"mask() cannot tell the server of a secret: {self._cut}")

    def hide(self, hidden: bool) -> None:
        """Return once the server hides what is typed, or does so no longer."""
        self._tell_and_wait({"hidden": hidden})

    def reached(self) -> bool:
        """Whether this process can tell the server anything, if there still is one."""
        return not self._cut

    def _tell_and_wait(self, message: dict[str, Any]) -> None:
        number = next(self._numbers)
        known = self._masks[number] = threading.Event()
        if not self._cut:
            self._tells.append({**message, "number": number})
            self._wake()
            if not self._gone:
                known.wait()

    def end(self, exit: Exit) -> None:
        """Tell how the job ended, after all else; wait until it is sent."""
        if self._cut:
            return
        self._exit = exit
        self._wake()
        self._ended.wait()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            return  # it is awake
        except OSError as error:
            self._lose(error)

    def _forked(self) -> None:
        """In a copy: its numbers of descriptors will stand for something else soon."""
        if not self._cut:
            self._cut = "it is called in a process that the job has forked; call it before that"
            for descriptor in (self._descriptor, self._wake_read, self._wake_write):
                with suppress(OSError):  # the job has closed it
                    os.close(descriptor)

    # The thread

    def _run(self) -> None:
        self._ident = threading.get_ident()
        fault: OSError | None = None
        try:
            self._write({"ready": os.getpid(), "dumps": self._known_dumps()})
            self._begun.set()
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            poll.register(self._wake_read, select.POLLIN)
            while True:
                while self._orders:  # some may have come with the first
                    self._obey(self._orders.popleft())
                self._send()
                if self._ended.is_set():
                    break
                ready = [descriptor for descriptor, _ in poll.poll(self._patience())]
                if self._wake_read in ready:
                    os.read(self._wake_read, _READ)
                if self._descriptor in ready and not self._receive():
                    break
        except OSError as error:
            fault = error
        finally:
            self._lose(fault)

    def _known_dumps(self) -> dict[str, int] | None:
        if self._dumps is None:
            return None
        return {"descriptor": self._dumps, "control": threading.get_native_id()}

    def _patience(self) -> float | None:
        """How long to wait, in ms: what the job says of its progress may have to."""
        if not self._progress_waits:
            return None
        return max(self._progress_at - time.monotonic(), 0) * 1000

    def _receive(self) -> bool:
        """Take what the server has sent; False at its end."""
        data = os.read(self._descriptor, _READ)
        self._orders.extend(self._lines.feed(data))
        return bool(data)

    def _obey(self, order: dict[str, Any]) -> None:
        if "stop" in order:
            self._stop_asked[0] = 1
            if order.get("interrupt"):
                os.kill(os.getpid(), signal.SIGINT)
        elif "masked" in order:
            known = self._masks.pop(order["masked"], None)
            if known is not None:
                known.set()
        elif "report" in order:
            self._answer(order["report"])

    def _answer(self, number: int) -> None:
        try:
            from flask_realtime.isolation.ownthreads import threads_of_process

            threads = threads_of_process(but=self._ident)
        except Exception as error:  # noqa: BLE001  # a job may have changed what it is made with
            name = f"its stacks cannot be read: {error!r:.100}"
            threads = [{"name": name, "ident": 0, "doing": "", "stack": []}]
        answer = {"report": number, "threads": threads}
        while len(encode(answer)) > MAX_TELL:
            del threads[len(threads) // 2 :]
        self._tells.append(answer)

    def _send(self) -> None:
        exit = self._exit  # what was told before it was set goes out before it
        now = time.monotonic()
        if self._progress_waits and (exit or now >= self._progress_at):
            self._progress_waits = False  # first: what comes from here on wakes us again
            done, total, label = self._progress
            self._progress_at = now + PROGRESS_SECONDS
            self._tells.appendleft({"progress": {"done": done, "total": total, "label": label}})
        while self._tells:
            self._write(self._tells.popleft())
        if exit is not None:
            reason = text_of(exit.reason, MAX_TEXT)
            self._write({"end": {"state": exit.state, "code": exit.code, "reason": reason}})
            self._ended.set()

    def _write(self, message: dict[str, Any]) -> None:
        data = memoryview(encode(message))
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _lose(self, fault: OSError | None) -> None:
        """Nobody listens any more: the job shall end, and nothing waits for an answer.

        Unless the job has closed descriptors that it did not open: it goes on without a server.
        """
        if fault is not None and fault.errno == errno.EBADF:
            self._cut = "the job has closed the descriptor that leads there"
        else:
            self._stop_asked[0] = 1
        self._gone = True
        self._begun.set()
        self._ended.set()
        for known in list(self._masks.values()):
            known.set()


class LinkedSecrets(Secrets):
    """The secrets of a run that another process masks."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def add(self, secret: str) -> None:
        """Mask `secret` in all that is printed from now on.

        Raises ValueError when it is too short or too long.
        """
        super().add(secret)
        if len(secret) > MAX_SECRET:
            raise ValueError(f"a secret of more than {MAX_SECRET} characters cannot be masked")
        self._link.mask(secret)
