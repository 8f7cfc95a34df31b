"""How far a job is, said by the job."""

from __future__ import annotations

import math

from flask_realtime.currentrun import current_run

MAX_LABEL = 200  # characters that the run's record keeps


def progress(done: float, total: float | None = None, label: str = "") -> None:
    """Show that `done` of `total` is done, in any unit; without `total` nobody knows of how many.

    `label` says what is being done, in a few words. Cheap enough to be called for each item: the
    page gets the newest a few times a second. Outside of jobs it does nothing.

    Raises TypeError or ValueError for what is no number, less than 0 or without an end.
    """
    _check("done", done)
    if total is not None:
        _check("total", total)
    if not isinstance(label, str):
        raise TypeError(f"label={label!r:.80} is wrong: expected text")
    run = current_run()
    if run is not None:
        run.report_progress(float(done), None if total is None else float(total), label[:MAX_LABEL])


def _check(name: str, value: float) -> None:
    try:
        right = math.isfinite(value) and value >= 0
    except TypeError:
        raise TypeError(f"{name}={value!r:.80} is wrong: expected a number") from None
    if not right:
        raise ValueError(f"{name}={value!r} is wrong: expected a number, 0 or more")
