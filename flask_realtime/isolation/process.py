"""Isolation `process`: a run is a child process and all that it starts, held by a keeper."""

from __future__ import annotations

import contextvars
import os
import platform
import sys
from typing import Any

from flask_realtime import host
from flask_realtime.errors import InputFull, RealtimeError
from flask_realtime.isolation import outcome, processreport
from flask_realtime.isolation.box import Exit, Launch, Prompt, Watcher
from flask_realtime.isolation.childlink import ChildLink, Shown, first_order
from flask_realtime.isolation.keeper import messages
from flask_realtime.isolation.keptprocess import PIPE_BYTES, KeptProcess
from flask_realtime.isolation.lastline import LastLine
from flask_realtime.isolation.line import Line
from flask_realtime.isolation.processexit import Asked, exit_of, keeper_gone
from flask_realtime.isolation.program import Program, program_of
from flask_realtime.pipeio import STDERR, STDOUT

LOOK_SECONDS = 2.0  # in which the keeper tells of all processes; it looks at them for 0.4 s
STACKS_SECONDS = 1.0  # in which the child tells of its threads
MAX_INPUT = 1 << 17  # bytes that a run was given and has not read
MAX_LINE = 4095  # bytes that a terminal keeps of a line: Linux lets go of the rest


class ProcessBox:
    """A function in an interpreter of its own, or a command, on a terminal or on pipes."""

    deadly = True

    def __init__(self, launch: Launch, watcher: Watcher) -> None:
        self._launch = launch
        self._watcher = watcher
        self._asked = Asked()
        self._keeper: Line | None = None
        self._child: ChildLink | None = None
        self._early: list[messages.Message] = []  # orders from before there was a keeper
        self._told: messages.Message | None = None  # the keeper's last word
        self._unread = 0  # bytes of input
        self._prompt = Prompts(watcher)
        self._numbers = 0  # of reports
        self._reports: dict[int, messages.Message] = {}
        self._reported = host.Signal()
        self._stop_signal = 0
        self._pid = 0  # of the main process, once it has started
        self._group: str | None = None  # its control group's folder

    # What is wanted of it

    def start(self) -> None:
        host.spawn(self._live)

    def stop(self) -> None:
        self._asked.stop = True
        if self._keeper is not None:
            self._order({"stop": self._stop_signal})

    def force(self) -> None:
        self._asked.force = True
        self._order({"force": True})

    def end(self, reason: str) -> None:
        self._asked.broken = self._asked.broken or reason
        self.force()

    def input(self, data: bytes) -> None:
        if self._launch.job.rules.terminal and max(map(len, data.split(b"\n"))) > MAX_LINE:
            raise RealtimeError(
                f"a line of more than {MAX_LINE} bytes: no terminal takes that; "
                "the job can read longer ones with terminal=False"
            )
        if self._unread + len(data) > MAX_INPUT:
            raise InputFull(
                f"{self._unread} bytes wait to be read by the job, and at most {MAX_INPUT} may: "
                "wait until it has read them"
            )
        self._unread += len(data)
        self._order({"input": data.decode("latin-1")})

    def end_input(self) -> None:
        self._order({"end_input": True})

    def report(self) -> dict[str, Any]:
        self._numbers += 1
        number = self._numbers
        shown = Shown([])
        if self._told is None and self._child is not None and self._pid:
            shown = self._child.threads(self._pid, STACKS_SECONDS)
        if self._told is None:
            # After that: what the child does to answer is nothing that the job does.
            self._order({"report": number})
            host.wait_for(
                lambda: number in self._reports or self._told is not None,
                self._reported,
                LOOK_SECONDS,
            )
        return processreport.report(
            self._reports.pop(number, None),
            shown.threads,
            note=shown.note,
            waiting=self._prompt.waiting,
            mask=self._launch.run.secrets.mask,
        )

    def _order(self, order: messages.Message) -> None:
        if self._keeper is None:
            self._early.append(order)
        else:
            self._keeper.say(messages.encode(order))

    # Its life

    def _live(self) -> None:
        """The greenlet of the run."""
        try:
            end = self._run()
        except RealtimeError as fault:
            end = self._failed(fault.message, 1)
        except OSError as fault:  # no more processes, descriptors or memory can be had
            end = self._failed(f"no process can be started: {fault.strerror or fault}", 1)
        self._watcher.ended(end)

    def _failed(self, reason: str, code: int) -> Exit:
        self._watcher.output(STDERR, f"{reason}\n".encode("utf-8", "surrogateescape"))
        return Exit("failed", code, reason)

    def _run(self) -> Exit:
        if platform.system() != "Linux":
            return self._failed(f"isolation='process' needs Linux, and this is {sys.platform}", 1)
        try:
            host.offload(contextvars.Context().run, self._launch.prepare)
            program = program_of(self._launch, os.environ)
            first = first_order(self._launch) if program.has_control else b""
        except Exception as error:  # noqa: BLE001  # hooks and parameters are the application's
            return self._failed(outcome.one_line(error), 1)
        self._stop_signal = program.stop_signal
        kept = host.offload(KeptProcess, self._launch.run.id, program)
        self._keeper = Line(kept.orders)
        try:
            if kept.control is not None:
                self._child = ChildLink(
                    kept.control, first, self._launch.run, self._watcher, self._prompt.hide
                )
            self._see_to_it(self._keeper, kept.outputs)
        finally:  # without its socket the keeper ends all
            if self._child is not None:
                self._child.close()
            self._keeper.close()
            code = host.offload(kept.wait)
        return self._exit(kept, program, code)

    def _see_to_it(self, keeper: Line, outputs: list[int]) -> None:
        """Until the keeper has ended, and all output was handed on."""
        for order in self._early:
            self._order(order)
        if self._asked.stop:
            self.stop()
        carriers = [
            host.spawn(self._carry, stream, output)
            for stream, output in zip((STDOUT, STDERR), outputs, strict=False)
        ]
        self._listen(keeper)
        for carrier in carriers:
            carrier.wait()

    def _exit(self, kept: KeptProcess, program: Program, code: int) -> Exit:
        told = self._told
        if told is None:
            return keeper_gone(code, host.offload(kept.end_strays, self._group))
        if "failed" in told:
            return self._failed(told["failed"], told["code"])
        said = None if self._child is None else self._child.end
        return exit_of(told, said, self._asked, program)

    def _carry(self, stream: int, output: int) -> None:
        """The greenlet of one output."""
        try:
            host.wait_readable(output)
            while data := os.read(output, PIPE_BYTES):
                self._watcher.output(stream, data)
                self._prompt.printed(stream, data)
                host.wait_readable(output)
        finally:
            os.close(output)

    def _listen(self, keeper: Line) -> None:
        decoder = messages.Decoder()
        while data := keeper.read():
            for tell in decoder.feed(data):
                self._heed(tell)
        self._prompt.told(None)

    def _heed(self, tell: messages.Message) -> None:
        if "waiting" in tell:
            self._prompt.told(tell["waiting"])
        elif "taken" in tell:
            self._unread -= tell["taken"]
        elif "started" in tell:
            self._pid, self._group = tell["started"], tell["group"]
        elif "watching" in tell:  # now, so that all who end because of it are counted
            if self._child is not None:
                self._child.stop(interrupt=self._prompt.waiting)
        elif "report" in tell:
            self._reports[tell["report"]] = tell
            self._reported.set()
        elif "exit" in tell or "failed" in tell:
            self._told = tell
            self._reported.set()


class Prompts:
    """Tells that a run waits for input, once all that it printed before was handed on."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._line = LastLine()
        self._handed = {STDOUT: 0, STDERR: 0}  # bytes
        self._coming: messages.Message | None = None  # told, but not all that it printed is here
        self._hidden = 0  # lines that the child reads and are to be hidden, in as many threads
        self.waiting = False  # as it was told

    def printed(self, stream: int, data: bytes) -> None:
        self._line.feed(data)
        self._handed[stream] += len(data)
        self._say()

    def hide(self, hidden: bool) -> None:
        """The child says that it begins to read what is to be hidden, or ceases to."""
        self._hidden = max(self._hidden + (1 if hidden else -1), 0)
        if hidden and self.waiting:
            self._watcher.waiting(Prompt(True, self._line.text()))

    def told(self, waiting: messages.Message | None) -> None:
        self._coming = waiting
        if waiting is None and self.waiting:
            self.waiting = False
            self._watcher.waiting(None)
        self._say()

    def _say(self) -> None:
        if self._coming is None:
            return
        reached = zip((STDOUT, STDERR), self._coming["bytes"], strict=False)
        if all(self._handed[stream] >= count for stream, count in reached):
            self.waiting = True
            hidden = self._coming["hidden"] or self._hidden > 0
            self._watcher.waiting(Prompt(hidden, self._line.text()))
            self._coming = None
