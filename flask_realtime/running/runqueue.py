"""Which runs wait, and which of them may begin. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from flask_realtime.bounds import Bounds
from flask_realtime.errors import TooManyRuns


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that is in line; `bounds` are those of its job."""

    run: str
    job: str
    user: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Limits:
    """How many runs may go on at once: `runs` in all, `runs_per_user` of one user; None: any."""

    runs: int
    runs_per_user: int | None = None


class RunQueue:
    """First come, first served, but whoever is held back by a bound of his own holds up no other.

    `active` in what follows are the runs that go on, each as it once waited.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._line: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._line)

    def __contains__(self, run: str) -> bool:
        return run in self._line

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._line.values())

    def add(self, run: Waiting) -> None:
        """Let `run` stand in line, last."""
        self._line[run.run] = run

    def admit(self, run: Waiting, active: list[Waiting], arriving: int, most: int) -> int | None:
        """Where in line `run` will stand, from 1; None if it may begin.

        `arriving`: how many have been told so and are not in line yet. Raises TooManyRuns if
        `most` wait already.
        """
        if self.may_begin(run, active):
            return None
        waiting = len(self) + arriving
        if waiting >= most:
            held = self.held_by(run, active) or ["those before it"]
            raise TooManyRuns(
                f"{len(active)} runs are active, and this one has to wait ({', '.join(held)}), but "
                f"{waiting} wait already and no more may (MAX_QUEUED): "
                "stop one, or wait until one ends"
            )
        return self.position_of(run, active)

    def remove(self, run: str) -> None:
        """Take it out of the line, wherever it stands."""
        del self._line[run]

    def next(self, active: Iterable[Waiting]) -> Waiting | None:
        """The first in line that may begin beside those that are `active`; it stays in line."""
        going_on = list(active)
        if len(going_on) >= self._limits.runs:
            return None
        return next((run for run in self if not self._held(run, going_on)), None)

    def may_begin(self, run: Waiting, active: Iterable[Waiting]) -> bool:
        """Whether one that comes now need not stand in line."""
        going_on = list(active)
        if len(going_on) >= self._limits.runs or self._held(run, going_on):
            return False
        return self.next(going_on) is None  # else that one comes first

    def positions(self, active: Iterable[Waiting]) -> dict[str, int]:
        """The place of each, from 1: behind those before it that wait for what it waits for."""
        going_on = list(active)
        full = len(going_on) >= self._limits.runs
        places: dict[str, int] = {}
        before: list[Waiting] = []
        for run in self:
            held = [] if full else self._held(run, going_on)
            rivals = (
                other for other in before if not held or any(same(run, other) for same in held)
            )
            places[run.run] = 1 + sum(1 for _ in rivals)
            before.append(run)
        return places

    def position_of(self, run: Waiting, active: Iterable[Waiting]) -> int:
        """The place that `run` would have if it came now."""
        line = RunQueue(self._limits)
        for waiting in (*self, run):
            line.add(waiting)
        return line.positions(active)[run.run]

    def held_by(self, run: Waiting, active: Iterable[Waiting]) -> list[str]:
        """The bounds that it waits for, as people set them; none if only others are before it."""
        going_on = list(active)
        full = [] if len(going_on) < self._limits.runs else ["MAX_RUNS"]
        return full + [_NAMES[same] for same in self._held(run, going_on)]

    def _held(self, run: Waiting, active: list[Waiting]) -> list[Same]:
        """What it has in common with as many active runs as there may be of these."""
        return [
            same
            for same, most in (
                (_same_user, self._limits.runs_per_user),
                (_same_job, run.bounds.runs),
                (_same_job_and_user, run.bounds.runs_per_user),
            )
            if most is not None and sum(same(run, other) for other in active) >= most
        ]


Same = Callable[[Waiting, Waiting], bool]


def _same_user(one: Waiting, other: Waiting) -> bool:
    return one.user == other.user


def _same_job(one: Waiting, other: Waiting) -> bool:
    return one.job == other.job


def _same_job_and_user(one: Waiting, other: Waiting) -> bool:
    return _same_job(one, other) and _same_user(one, other)


_NAMES: dict[Same, str] = {
    _same_user: "MAX_RUNS_PER_USER",
    _same_job: "the job's max_runs",
    _same_job_and_user: "the job's max_runs_per_user",
}
