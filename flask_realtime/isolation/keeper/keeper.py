"""The program between the server and the processes of one run: nothing of the run outlives it.

Descriptor 0 is a socket to the server (messages.py), 1 the pipe for stdout, 2 the server's stderr.
The first message says what to run:

`argv`, `folder` (or null), `environ` (all of it) · `terminal`: [columns, rows], or null for pipes ·
`errors`: the number of a pipe for stderr, null with a terminal · `control`: a descriptor that the
main process gets as it is, or null · `cpu_seconds`, `memory_bytes`: bounds, or null.

It is one thread and one loop. It ends when nothing of the run is left and the server has its
output; when the server's end of the socket closes, it ends the run first.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

from flask_realtime.isolation.keeper import terminal
from flask_realtime.isolation.keeper.cgroup import make_cgroup
from flask_realtime.isolation.keeper.feeder import Feeder
from flask_realtime.isolation.keeper.looks import Looks
from flask_realtime.isolation.keeper.messages import Decoder, Message, encode
from flask_realtime.isolation.keeper.pump import Pump
from flask_realtime.isolation.keeper.spawning import Plan, StartFault, become_subreaper, spawn
from flask_realtime.isolation.keeper.tree import Tree
from flask_realtime.isolation.keeper.waiting import Input

SERVER, OUTPUT = 0, 1
TERM_SECONDS = 0.5  # from SIGTERM to SIGKILL
KILL_EVERY = 0.02
KILL_SECONDS = 5.0  # then it says how many cannot be ended


class Keeper:
    """Starts what `setup` says; raises StartFault. `run` returns when all is over."""

    def __init__(self, setup: Message, decoder: Decoder) -> None:
        self._decoder = decoder
        self._telling = bytearray()
        self._server_gone = False
        self._signalled = False  # somebody wants this program to end
        self._bound: str | None = None  # that was broken
        self._how = "itself"  # the main process ended so
        self._kill_at: float | None = None
        self._give_up_at = 0.0
        self._over = False  # nothing of the run is left, or it cannot be ended
        self._wake = self._wake_on_signals()
        become_subreaper()
        if setup["terminal"]:
            stdio = self._open_terminal(*setup["terminal"])
        else:
            stdio = self._open_pipes(setup["errors"])
        read = Input(stdio[0])
        group = make_cgroup(f"flask-realtime-{os.getpid()}")
        if group is not None and setup["memory_bytes"] is not None:
            group.bound_memory(setup["memory_bytes"])
        plan = Plan(
            argv=setup["argv"],
            folder=setup["folder"],
            environ=setup["environ"],
            stdio=stdio,
            on_terminal=bool(setup["terminal"]),
            control=setup["control"],
            cpu_seconds=setup["cpu_seconds"],
            group=group,
        )
        try:
            self._tree = Tree(spawn(plan), group)
        except StartFault:
            if group is not None:
                group.remove()
            raise
        # The programs' end of a terminal stays open: the terminal ends when the run does, and not
        # when nobody has it open for a moment.
        self._to_close = set(stdio) if setup["terminal"] else set()
        for descriptor in set(stdio) - self._to_close:
            os.close(descriptor)
        if setup["control"] is not None:
            os.close(setup["control"])
        self._looks = Looks(
            setup,
            self._tree,
            self._pumps,
            self._feeder,
            read,
            tell=self._tell,
            broken=self._break,
            now=time.monotonic(),
        )
        self._tell({"started": self._tree.main, "group": group and group.folder})

    def _wake_on_signals(self) -> int:
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        return wake

    def _note_signal(self, number: int, frame: object) -> None:
        """A handler: it may interrupt anything here."""
        self._signalled = True

    def _open_terminal(self, columns: int, rows: int) -> tuple[int, int, int]:
        ours, theirs = terminal.open_terminal(columns, rows)
        os.set_blocking(OUTPUT, False)
        self._pumps = [Pump(ours, OUTPUT)]
        self._feeder = Feeder(ours, on_terminal=True)
        return theirs, theirs, theirs

    def _open_pipes(self, errors: int) -> tuple[int, int, int]:
        stdin, feeding = os.pipe()
        os.set_blocking(feeding, False)
        self._feeder = Feeder(feeding, on_terminal=False)
        self._pumps = []
        ends = []
        for sink in (OUTPUT, errors):
            source, end = os.pipe()
            os.set_blocking(source, False)
            os.set_blocking(sink, False)
            self._pumps.append(Pump(source, sink))
            ends.append(end)
        return stdin, ends[0], ends[1]

    # The loop

    def run(self) -> None:
        """See to the run until its end."""
        os.set_blocking(SERVER, False)
        while not self._over or self._telling or not all(pump.done for pump in self._pumps):
            ready = self._wait()
            now = time.monotonic()
            if self._wake in ready:
                with suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            if SERVER in ready:
                self._talk()
            self._carry(ready, now)
            if not self._over:
                self._tree.reap()
                if self._signalled:
                    self._end("term")
                self._see_to_the_end(now)
                self._looks.look(now)

    def _carry(self, ready: dict[int, int], now: float) -> None:
        """Output and input, as far as there is room."""
        for pump in self._pumps:
            if self._over:
                pump.take_rest()
            elif pump.source in ready and pump.rest_until <= now and not pump.full:
                pump.take(now)
                self._looks.active(now)
            pump.give()
        if self._feeder.wants_to_write and self._feeder.sink in ready:
            self._feed(now)

    def _wait(self) -> dict[int, int]:
        """Wait for a descriptor, or for the time of the next step."""
        now = time.monotonic()
        wanted = {self._wake: select.POLLIN}
        if not self._server_gone:
            wanted[SERVER] = select.POLLIN | (select.POLLOUT if self._telling else 0)
        due = [] if self._over else self._due()
        for pump in self._pumps:
            if pump.wants_to_write:
                wanted[pump.sink] = select.POLLOUT
            if pump.at_end or pump.full:
                continue
            if self._over or pump.rest_until > now:
                due.append(pump.rest_until)
            else:
                wanted[pump.source] = select.POLLIN
        if self._feeder.wants_to_write and not self._over:
            wanted[self._feeder.sink] = wanted.get(self._feeder.sink, 0) | select.POLLOUT
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        timeout = None if not due else max(0, int(1000 * (min(due) - now)) + 1)
        return dict(poll.poll(timeout))

    def _due(self) -> list[float]:
        return [*self._looks.due(), *([] if self._kill_at is None else [self._kill_at])]

    # The server

    def _talk(self) -> None:
        try:
            if self._telling:
                del self._telling[: os.write(SERVER, self._telling)]
            data = os.read(SERVER, 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            for message in self._decoder.feed(data):
                self.obey(message)
        else:
            self._server_gone = True
            self._telling.clear()
            self._end("term")

    def _tell(self, message: Message) -> None:
        """Have it sent; what does not fit now goes later."""
        if not self._server_gone:
            self._telling += encode(message)
            with suppress(OSError):  # there is no room, or nobody: the loop sees which
                del self._telling[: os.write(SERVER, self._telling)]

    def obey(self, order: Message) -> None:
        """Do what the server asks for."""
        now = time.monotonic()
        if self._over:
            return
        if "stop" in order:
            self._tree.watch()
            if order["stop"]:
                self._tree.interrupt(order["stop"])
            else:
                self._tell({"watching": True})
        if "force" in order:
            self._end("term")
        if "input" in order:
            self._feeder.add(order["input"].encode("latin-1"))
            self._feed(now)
        if "end_input" in order:
            self._feeder.end()
            self._looks.active(now)
        if "report" in order:
            self._looks.ask(order["report"], now)

    def _feed(self, now: float) -> None:
        if taken := self._feeder.write():
            self._tell({"taken": taken})
        self._looks.active(now)

    # The end

    def _break(self, bound: str) -> None:
        if self._kill_at is None:
            self._bound = bound
            self._end("term")

    def _end(self, how: str) -> None:
        """End the tree: SIGTERM now, SIGKILL soon."""
        if self._kill_at is None and not self._over:
            self._how = how
            self._tree.watch()
            self._tree.terminate()
            self._kill_at = time.monotonic() + TERM_SECONDS
            self._give_up_at = self._kill_at + KILL_SECONDS

    def _see_to_the_end(self, now: float) -> None:
        if self._tree.empty:
            self._finish()
        elif self._kill_at is not None and now >= self._kill_at:
            if self._tree.status is None:
                self._how = "kill"
            self._tree.kill()
            self._kill_at = now + KILL_EVERY
            if now >= self._give_up_at:
                self._finish()
        elif self._kill_at is None and self._tree.status is not None:
            self._end("itself")  # what is left of it goes as well

    def _finish(self) -> None:
        self._over = True
        ended, left = self._tree.counts()
        group = self._tree.group
        if group is not None:
            if group.bounds_memory and group.has_run_out_of_memory():
                self._bound = self._bound or "memory"
            group.remove()
        told = {"exit": self._tree.status, "bound": self._bound, "how": self._how}
        self._tell({**told, "ended": ended, "left": left})
        for descriptor in self._to_close:
            os.close(descriptor)
        self._feeder.close()


def main() -> int:
    """Read what to run, and see to it; the exit code is of no meaning."""
    decoder = Decoder()
    messages: list[Message] = []
    while not messages:
        data = os.read(SERVER, 1 << 16)
        if not data:
            return 1
        messages = decoder.feed(data)
    setup, *orders = messages
    for descriptor in (SERVER, OUTPUT, setup["errors"], setup["control"]):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
    try:
        keeper = Keeper(setup, decoder)
    except StartFault as fault:
        os.write(SERVER, encode({"failed": fault.reason, "code": fault.code}))
        return 1
    for order in orders:
        keeper.obey(order)
    keeper.run()
    return 0
