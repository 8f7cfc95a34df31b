"""One run of this process, from the moment that it was accepted until its end is stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace

from flask_realtime.bounds import Bounds
from flask_realtime.isolation.box import MAX_PROMPT, Exit, Launch, Prompt
from flask_realtime.logwriter import LogWriter
from flask_realtime.masking import LEAST_LENGTH, Masker
from flask_realtime.pipeio import STDERR
from flask_realtime.running.runprogress import RunProgress
from flask_realtime.running.runqueue import Waiting
from flask_realtime.runs import Run, now

MIB = 1 << 20


class ActiveRun:
    """What a box tells of its run ends here: in the run's record and its log.

    `changed(run)` is called when the record has changed, `told(run)` when it has and need not be
    stored, `broken(run, reason)` when the output
    broke its bound, `over(active, exit)` at the end.
    """

    def __init__(
        self,
        run: Run,
        launch: Launch,
        bounds: Bounds,
        *,
        changed: Callable[[Run], None],
        told: Callable[[Run], None],
        broken: Callable[[ActiveRun, str], None],
        over: Callable[[ActiveRun, Exit], None],
    ) -> None:
        self.run = run
        self.launch = launch
        self.writer: LogWriter  # set once the run's record is stored
        self.bounds = bounds
        self.place = Waiting(run.id, run.job, run.user, launch.job.rules.bounds)
        self.input_ended = False  # somebody said so
        self.fault = ""  # the bound that it broke, if nobody but us could see that
        self._heard = time.monotonic()  # when it began, then when it last printed
        self._progress = RunProgress(run, told, changed)
        self._masker = Masker(self._append, launch.run.secrets)
        self._room = None if bounds.output_mib is None else int(bounds.output_mib * MIB)
        self._changed = changed
        self._broken = broken
        self._over = over

    def begins(self) -> None:
        """From now on it may print."""
        self._heard = time.monotonic()

    def silent_seconds(self) -> float:
        """How long it has printed nothing."""
        return round(time.monotonic() - self._heard, 1)

    def hide(self, typed: str) -> None:
        """Mask from now on what was typed at a hidden prompt, line by line."""
        for line in typed.splitlines():
            if len(line) >= LEAST_LENGTH:
                self.launch.run.secrets.add(line)

    def _append(self, stream: int, data: bytes) -> None:
        self.writer.append(stream, data)
        self._progress.printed(data)

    # What its box tells

    def output(self, stream: int, data: bytes) -> None:
        """Put it into the log, masked, as far as the run's bound allows."""
        self._heard = time.monotonic()
        if self._room is None:
            self._masker.write(stream, data)
            return
        within, self._room = data[: self._room], max(self._room - len(data), 0)
        if within:
            self._masker.write(stream, within)
        if len(within) < len(data) and not self.fault:
            self.fault = f"it printed more than {self.bounds.output_mib:g} MiB (max_output_mib)"
            self._masker.flush()
            self.writer.append(STDERR, f"\n[{self.fault}: it is ended]\n".encode())
            self._broken(self, self.fault)

    def waiting(self, prompt: Prompt | None) -> None:
        """Note in the record that it waits for input, or no longer."""
        if prompt is None:
            self.run.waiting = None
        else:
            text = self.launch.run.secrets.mask(prompt.text)[-MAX_PROMPT:]
            self.run.waiting = {"since": now(), "hidden": prompt.hidden, "prompt": text}
        if not self.run.final:
            self._changed(self.run)

    def progress(self, done: float, total: float | None, label: str) -> None:
        """Note how far it is."""
        self._progress.said(done, total, self.launch.run.secrets.mask(label))

    def ended(self, end: Exit) -> None:
        """All output is here; say how it ended."""
        self._masker.flush()
        self._progress.end()
        if self.fault and end.state != "lost":
            end = replace(end, state="failed", code=end.code or 1, reason=self.fault)
        if end.processes is not None:
            self.run.processes = asdict(end.processes)
        self._over(self, replace(end, reason=self.launch.run.secrets.mask(end.reason)))
