"""Sends what a job prints to its run, and leaves every other print() where it was.

`sys.stdout` and `sys.stderr` become routers that look into the current context (contextvars).
asyncio tasks copy their creator's context by themselves; for threads, and for work that is given
to a ThreadPoolExecutor, `Routing.install` adds that (Python 3.14 can do the former by itself).
Importing this module does nothing; the engine installs the routing when it starts.
"""

from __future__ import annotations

import contextvars
import io
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TextIO, cast

from flask_realtime.isolation import hiddeninput, jobthreads
from flask_realtime.isolation.jobthreads import JobThreads
from flask_realtime.isolation.promptio import Answers, PromptIO
from flask_realtime.pipeio import STDERR, STDOUT, OutputPipe, PipeIO


class StreamRouter(io.TextIOBase):
    """A text stream that is, in each context, what was `set` there, and elsewhere `original`."""

    def __init__(self, name: str, original: TextIO) -> None:
        super().__init__()
        self.original = original
        self._variable = contextvars.ContextVar[TextIO](name, default=original)
        self.target = self._variable.get

        def write(text: str, target: Callable[[], TextIO] = self.target) -> int:
            return target().write(text)

        self.write = write  # type: ignore[method-assign]  # in the instance: found at once

    def set(self, stream: TextIO) -> None:
        """Route to `stream` in the current context and in those that are copied from it."""
        self._variable.set(stream)

    @property
    def buffer(self) -> Any:
        return self.target().buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.target().encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.target().errors

    @property
    def closed(self) -> bool:
        return self.target().closed

    def __getattr__(self, name: str) -> Any:
        """Whatever else a stream has (name, mode, reconfigure, ...)."""
        return getattr(self.target(), name)

    def flush(self) -> None:
        self.target().flush()

    def fileno(self) -> int:
        return self.target().fileno()

    def isatty(self) -> bool:
        return self.target().isatty()

    def writable(self) -> bool:
        return self.target().writable()

    def readable(self) -> bool:
        return self.target().readable()

    def writelines(self, lines: Any) -> None:
        self.target().writelines(lines)

    def read(self, size: int | None = -1) -> str:
        return self.target().read(-1 if size is None else size)

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        return self.target().readline(size)

    def close(self) -> None:
        """Do nothing: the original is not ours to close."""


class Routing:
    """The hook into `sys`, `threading`, `concurrent.futures` and `getpass`, and how to take it out
    again.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._routers: dict[str, StreamRouter] = {}

    def install(self) -> None:
        """Route stdin, stdout and stderr; let threads and pool work inherit their context."""
        for name in ("stdin", "stdout", "stderr"):
            original = getattr(sys, name)
            if original is not None:  # pythonw and daemons have none
                self._routers[name] = StreamRouter(name, original)
                self._replace(sys, name, self._routers[name])
        self._replace(threading.Thread, "start", _start_in_context(threading.Thread.start))
        self._replace(ThreadPoolExecutor, "submit", _submit_in_context(ThreadPoolExecutor.submit))
        self._undo.append(hiddeninput.install())

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        original = getattr(owner, name)
        setattr(owner, name, value)

        def undo() -> None:
            if getattr(owner, name) is value:  # else somebody replaced it after us: leave it
                setattr(owner, name, original)

        self._undo.append(undo)

    def uninstall(self) -> None:
        """Put back what `install` replaced."""
        while self._undo:
            self._undo.pop()()

    def enter(
        self,
        pipe: OutputPipe,
        answers: Answers | None = None,
        threads: JobThreads | None = None,
    ) -> None:
        """Send the output of the current context to `pipe` from now on; its input is `answers`.

        Without `answers` its input is empty: a job must not read the server's terminal. `threads`
        gets to know the threads that work in this context and in those that are copied from it.
        """
        for name, stream in (("stdout", STDOUT), ("stderr", STDERR)):
            if name in self._routers:
                router = self._routers[name]
                router.set(cast(TextIO, PipeIO(pipe, stream, router.original)))
        if "stdin" in self._routers:
            stdin: Any = io.StringIO() if answers is None else PromptIO(answers, _echo(pipe))
            self._routers["stdin"].set(stdin)
        if threads is not None:
            jobthreads.enter(threads)


def _echo(pipe: OutputPipe) -> Callable[[str], None]:
    def echo(text: str) -> None:
        if text:
            pipe.put(text, len(text))  # refused once the pipe is closed: nobody sees it any more

    return echo


def _start_in_context(start: Callable[[threading.Thread], None]) -> Any:
    def start_in_context(self: threading.Thread) -> None:
        """threading.Thread.start, with the context of the caller in the new thread."""
        context = contextvars.copy_context()
        run = self.run

        def run_and_report() -> None:
            try:
                run()
            except BaseException as error:  # noqa: BLE001  # as Thread does, but in the context
                threading.excepthook(
                    threading.ExceptHookArgs((type(error), error, error.__traceback__, self))
                )

        self.run = lambda: context.run(jobthreads.call_here, run_and_report)  # type: ignore[method-assign]
        start(self)

    return start_in_context


def _submit_in_context(submit: Callable[..., Future[Any]]) -> Any:
    def submit_in_context(
        self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """ThreadPoolExecutor.submit, with the context of the caller around `function`."""
        run = contextvars.copy_context().run
        return submit(self, run, jobthreads.call_here, function, *args, **kwargs)

    return submit_in_context
