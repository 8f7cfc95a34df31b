"""FlaskThread: a job on a native thread, its output on the way to the hub."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import inspect
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask_realtime import host
from flask_realtime.isolation import outcome
from flask_realtime.isolation.box import Exit, Prompt
from flask_realtime.isolation.jobthreads import JobThreads
from flask_realtime.isolation.lastline import LastLine
from flask_realtime.isolation.newest import Newest
from flask_realtime.isolation.promptio import Answers, Asking
from flask_realtime.pipeio import DEFAULT_MAX_SIZE, OutputPipe
from flask_realtime.routing import Routing

FORCED = Exit("stopped", 1, "stopped by force")


class FlaskThread(threading.Thread):
    """Runs `function(running, **params)` and hands its output and its end to the hub.

    `output(stream, data)` is called in a greenlet for all that the job prints, in order; it may
    wait, and then the job waits too, once `max_buffer` characters have gathered. `ended(exit)`
    is called in the same greenlet after the last output. `prepare()` is called in the job's
    context, before the job; what it raises is the job's end. `asked(prompt)` is called when the job
    begins to wait for input, after the output before that, and with None when it has got some;
    `progressed(done, total, label)` some times a second with what it has told `say_progress`.
    Start it from the hub's thread.

    `function` is anything that can be called, an `async def` included (it gets an event loop of
    its own). Its first argument is `running`: a callable that returns False once a stop is asked
    for.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        params: Mapping[str, Any],
        *,
        routing: Routing,
        output: Callable[[int, bytes], None],
        ended: Callable[[Exit], None],
        prepare: Callable[[], None] = lambda: None,
        asked: Callable[[Prompt | None], None] = lambda prompt: None,
        progressed: Callable[[float, float | None, str], None] = lambda done, total, label: None,
        max_buffer: int = DEFAULT_MAX_SIZE,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._function = function
        self._params = dict(params)
        self._routing = routing
        self._output = output
        self._ended = ended
        self._prepare = prepare
        self._asked = asked
        self._pipe = OutputPipe(max_buffer)
        self._progress = Newest(progressed, wake=self._pipe.wake)
        self.say_progress = self._progress.say  # for the job's threads
        self.answers = Answers(changed=self._pipe.wake)
        self.threads = JobThreads()
        self._stop_asked = threading.Event()
        self._forced = False
        self._ending = threading.Lock()  # between force() and the begin and end of the job
        self._begun = False
        self._done = False
        self._exit = Exit("failed", 1, "the thread did not start")

    def start(self) -> None:
        """Start the job and the greenlet that carries its output."""
        host.spawn(self._pipe_processor)
        try:
            super().start()
        except RuntimeError as error:  # the operating system has no thread left
            self._exit = Exit("failed", 1, outcome.one_line(error))
            self._pipe.close()

    def running(self) -> bool:
        """What the job asks: False once it shall end."""
        return not self._stop_asked.is_set()

    def stop(self) -> None:
        """Ask the job to end; it does when it next asks `running()`, or waits for input."""
        self._stop_asked.set()
        self.answers.stop()

    def force(self) -> None:
        """Raise SystemExit in the job's thread, at the next Python instruction that it runs.

        A thread that waits inside a C function (time.sleep, a socket without a timeout) sees it
        only when that function returns.
        """
        self.stop()
        with self._ending:
            if self._done:
                return
            self._forced = True
            if self._begun:
                assert self.ident is not None
                _raise_in_thread(self.ident, SystemExit)

    def run(self) -> None:
        """The thread's body: run the job in a context of its own."""
        self._exit = FORCED  # stands when a forced exit hits the lines that note another end
        try:
            try:
                contextvars.copy_context().run(self.threads.call, self._run_job)
            finally:
                self._seal()
        except SystemExit:
            assert self._forced
        finally:
            self._seal()  # a forced exit may have hit the first one
            self.answers.close()
            self._pipe.close()

    def _open(self) -> None:
        """From here on a forced exit arrives in this thread, and not in what starts a thread."""
        with self._ending:
            self._begun = True
            if self._forced:
                raise SystemExit

    def _seal(self) -> None:
        """From here on no forced exit arrives in this thread."""
        while not self._done:
            try:
                with self._ending:
                    self._done = True
                    if self._forced:
                        self._receive_forced_exit()
            except SystemExit:
                continue

    def _receive_forced_exit(self) -> None:
        """Let the one that is on its way arrive here, or another in its place.

        Taking it back (PyThreadState_SetAsyncExc with NULL) would leave the interpreter looking
        for it for ever: pending.async_exc stays set in CPython up to 3.12, where calls then cost
        up to 1.4 times as much, and 3.11 spins as soon as a debugger traces it.
        """
        _raise_in_thread(threading.get_ident(), SystemExit)
        while True:
            time.sleep(0)

    def _run_job(self) -> None:
        self._routing.enter(self._pipe, self.answers, self.threads)
        try:
            self._open()
            self._prepare()
            result = self._function(self.running, **self._params)
            if inspect.isawaitable(result):
                asyncio.run(_wait_for(result))
            self._exit = outcome.returned(stop_asked=self._stop_asked.is_set())
        except BaseException as error:  # noqa: BLE001  # whatever a job raises is its end
            self._exit = self._raised(error)

    def _raised(self, error: BaseException) -> Exit:
        if self._forced and isinstance(error, SystemExit):
            return FORCED
        return outcome.raised(error, stop_asked=self._stop_asked.is_set())

    def _pipe_processor(self) -> None:
        """The greenlet: takes what the job prints until the end of the pipe."""
        line = LastLine()
        told: Asking | None = None
        while True:
            host.wait_readable(self._pipe.fileno())
            batches, at_end = self._pipe.take()
            for stream, data in batches:
                self._output(stream, data)
                line.feed(data)
            self._progress.hand_on(at_once=at_end)
            if at_end:
                break
            asking = self.answers.asking
            if asking != told:
                told = asking
                self._asked(None if asking is None else Prompt(asking.hidden, line.text()))
        self._pipe.dispose()
        self._ended(self._exit)


def _raise_in_thread(ident: int, exception: type[BaseException]) -> None:
    """Raise `exception` in a thread when it next runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(exception))


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable
