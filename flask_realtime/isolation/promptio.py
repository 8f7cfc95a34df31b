"""PromptIO: what `sys.stdin` is for a job on a thread. Somebody at the page answers.

The hub puts answers into a queue without a lock; the job's threads take them from it, one thread
at a time. A read waits in slices, because an exception that a forced stop raises in a thread
arrives only when the thread runs Python code.
"""

from __future__ import annotations

import codecs
import io
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask_realtime.errors import InputFull

MAX_INPUT = 1 << 16  # bytes that were given and not read yet
RECHECK_SECONDS = 0.25  # how soon a thread that waits for input notices a forced stop

END = None  # in the place of a text: there will be no more


@dataclass(frozen=True)
class Asking:
    """A thread waits for input: the how-manieth wait it is, whether what comes is to be hidden."""

    number: int
    hidden: bool
    thread: int  # its ident


class Answers:
    """What was given to a run to read: bounded, for one reader at a time.

    `give`, `end`, `stop` and `close` are for the hub's thread and wait for nothing. `changed()` is
    called in the reader's thread when it begins and when it ceases to wait.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.asking: Asking | None = None
        self._changed = changed
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._after_return = False  # the last character was a carriage return
        self._given = 0  # bytes; the hub's thread alone counts them
        self._read = 0  # bytes; the reader alone counts them
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._text = ""  # taken from the queue and not read yet
        self._at_end = False  # END was taken
        self._waits = 0
        self._turn = threading.Lock()
        self._stopped = False
        self._closed = False

    def give(self, data: bytes) -> None:
        """Let it be read. Raises InputFull when more than MAX_INPUT bytes would wait."""
        held = self._given - self._read
        if held + len(data) > MAX_INPUT:
            raise InputFull(
                f"{held} bytes wait to be read by the job, and at most {MAX_INPUT} may: "
                "wait until it has read them"
            )
        text = self._translated(self._decoder.decode(data))
        self._given += _size(text)
        if text:
            self._queue.put(text)

    def _translated(self, text: str) -> str:
        """With each line ending as a line feed, as a terminal has it."""
        if self._after_return and text.startswith("\n"):
            text = text[1:]
            self._after_return = False
        if text:
            self._after_return = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def end(self) -> None:
        """There will be no more: who reads meets the end after what was given until now."""
        self._queue.put(END)

    def stop(self) -> None:
        """From now on no read waits: one that would raises KeyboardInterrupt, as at Ctrl-C."""
        self._stopped = True
        self._queue.put("")

    def close(self) -> None:
        """The job is over: what still reads meets the end."""
        self._closed = True
        self._queue.put("")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let no other thread read meanwhile."""
        while not self._turn.acquire(timeout=RECHECK_SECONDS):
            self._check_stop()
        try:
            yield
        finally:
            self._turn.release()

    def take_line(self, most: int = -1, *, hidden: bool = False) -> str:
        """Wait for a line, or `most` characters of one; return it, or what comes before an end."""
        while True:
            cut = self._text.find("\n") + 1 or len(self._text) + 1
            if 0 <= most < cut:
                cut = most
            if cut <= len(self._text):
                return self._taken(cut)
            if not self._more(hidden):
                return self._taken(len(self._text))

    def take(self, most: int = -1) -> str:
        """Wait for `most` characters, or for all before an end; return what there is then."""
        parts: list[str] = []
        while most:
            part = self._taken(len(self._text) if most < 0 else min(most, len(self._text)))
            parts.append(part)
            most -= max(0, min(most, len(part)))
            if most and not self._more(hidden=False):
                break
        return "".join(parts)

    def _taken(self, count: int) -> str:
        text, self._text = self._text[:count], self._text[count:]
        self._read += _size(text)
        return text

    def _more(self, hidden: bool) -> bool:
        """Wait for more text; False when an end comes instead."""
        if self._at_end:
            return False
        try:
            while True:
                try:
                    text = self._queue.get(self.asking is not None, RECHECK_SECONDS)
                except queue.Empty:
                    text = ""
                if text is END:
                    self._at_end = True
                    return False
                if text:
                    self._text += text
                    return True
                if self._closed:
                    return False
                self._check_stop()
                if self.asking is None:
                    self._waits += 1
                    self.asking = Asking(self._waits, hidden, threading.get_ident())
                    self._changed()
        finally:
            if self.asking is not None:
                self.asking = None
                self._changed()

    def _check_stop(self) -> None:
        if self._stopped and not self._closed:
            raise KeyboardInterrupt


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


class PromptIO(io.TextIOBase):
    """A text stream, UTF-8, that waits for answers. What is read is echoed, as on a terminal.

    `echo(text)` gets what was read. It says that it is a terminal, since somebody is there to
    answer; it has no descriptor.
    """

    encoding = "utf-8"
    errors = "surrogateescape"
    mode = "r"
    name = "<stdin>"
    newlines = None

    def __init__(self, answers: Answers, echo: Callable[[str], None]) -> None:
        self._answers = answers
        self._echo = echo
        self._buffer = io.BufferedReader(_BytesEnd(answers, echo))

    @property
    def buffer(self) -> io.BufferedIOBase:
        """The same stream for bytes."""
        return self._buffer

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        with self._answers.turn():
            line = self._answers.take_line(-1 if size is None else size)
            self._echo(line)
        return line

    def read(self, size: int | None = -1) -> str:
        with self._answers.turn():
            text = self._answers.take(-1 if size is None else size)
            self._echo(text)
        return text

    def read_hidden(self) -> str:
        """Read a line that is not echoed, without its end. Raises EOFError."""
        with self._answers.turn():
            line = self._answers.take_line(hidden=True)
        if not line:
            raise EOFError
        return line.removesuffix("\n")

    def reconfigure(self, **options: Any) -> None:
        """Accept what `io.TextIOWrapper.reconfigure` accepts; the encoding stays UTF-8."""

    def close(self) -> None:
        """Do nothing: a job that closes its stdin may still ask."""


class _BytesEnd(io.RawIOBase):
    """`sys.stdin.buffer` of a job, a line at a time."""

    def __init__(self, answers: Answers, echo: Callable[[str], None]) -> None:
        self._answers = answers
        self._echo = echo
        self._rest = b""  # of a line that was longer than was asked for

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if not self._rest:
            with self._answers.turn():
                line = self._answers.take_line()
                self._echo(line)
            self._rest = line.encode("utf-8", "surrogateescape")
        piece = self._rest[: len(into)]
        self._rest = self._rest[len(piece) :]
        into[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Do nothing, as PromptIO.close."""


def prompt_io(stream: Any) -> PromptIO | None:
    """The PromptIO that `stream` is here, or leads to here (routing.StreamRouter), or None."""
    while callable(leads_to := getattr(stream, "target", None)):
        stream = leads_to()
    return stream if isinstance(stream, PromptIO) else None
