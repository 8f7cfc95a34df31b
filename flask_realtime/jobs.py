"""The jobs that can be started."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flask_realtime.callables import (
    description_of,
    is_async_function,
    own_name,
    refuse_other_callables,
    where,
)
from flask_realtime.errors import ConfigurationError, RealtimeError, UnknownJob
from flask_realtime.isolation.jobref import Reference, check, reference_to
from flask_realtime.jobrules import NO_RULES, JobRules, RuleOptions, read_rules
from flask_realtime.keep import KEEP_ALL, Keep
from flask_realtime.marks import Mark, mark_of
from flask_realtime.parameters import Parameters, Upload, read_parameters, to_json
from flask_realtime.service import Service, describe

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from flask_realtime.commands.command import Command

__all__ = ["Job", "JobRegistry", "check_name", "make_job", "mark_of", "title_of"]

_NAME = re.compile(r"[\w.-]{1,100}")
# How many names a message about an unknown one repeats.
_NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Job:
    """A function, or a command, that can be started by name.

    `function` is called as ``function(running, **parameters)``, and awaited if `is_async`; where
    there is a `command`, that is run instead.
    `parameters` is a JSON Schema of type object. `source` is "file:line" of what was written.
    `service` is what the job stands for, if that goes on without a run as well. `rules` hold for
    its runs. `reference` is how a process of its own finds the function; None where none has to.
    """

    name: str
    title: str
    description: str
    function: Callable[..., object]
    parameters: dict[str, object]
    is_async: bool = False
    source: str = ""
    service: Service | None = None
    rules: JobRules = NO_RULES
    command: Command | None = None
    reference: Reference | None = None
    _model: Parameters = field(default_factory=lambda: Parameters([]), repr=False, compare=False)

    @property
    def isolation(self) -> str:
        return self.rules.isolation

    @property
    def kind(self) -> str:
        """``function`` or ``command``."""
        return "function" if self.command is None else "command"

    def bind(self, params: Mapping[str, object]) -> dict[str, object]:
        """Check `params` and return the keywords to call the function with, defaults included.

        Raises BadParameters, which names each wrong parameter, what is expected and the value.
        """
        bound = self._model.bind(params)
        if self.command is not None:
            self.command.check(bound)
        return bound

    def plain(self, bound: Mapping[str, object]) -> dict[str, object]:
        """What `bind` returned, for a record: JSON that `bind` takes again.

        But a secret is ``***`` and an upload None.
        """
        return self._model.plain(bound)

    def wire(self, bound: Mapping[str, object]) -> dict[str, object]:
        """What the job gets, as JSON for a process that runs it: secrets and paths as they are."""
        return to_json(bound)

    def unwire(self, wired: Mapping[str, object]) -> dict[str, object]:
        """The keywords to call the function with, of what `wire` returned; never of a client's."""
        return self._model.unwire(wired)

    def secrets(self, bound: Mapping[str, object]) -> list[str]:
        """The secrets among what `bind` returned."""
        return self._model.secrets(bound)

    @property
    def uploads(self) -> dict[str, Upload]:
        """The parameters that are uploaded files; `bind` returns an UploadId for each, or None."""
        return self._model.uploads

    def describe(self) -> dict[str, object]:
        """The job as clients see it; one with a service in a request's context."""
        described: dict[str, object] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "parameters": self.parameters,
            "isolation": self.rules.isolation,
            "kind": self.kind,
            "bounds": self.rules.bounds.public(),
            "stop_when_unwatched": self.rules.stop_when_unwatched,
        }
        if self.service is not None:
            described["service"] = describe(self.service)
        return described


def make_job(
    function: Callable[..., object],
    *,
    name: str | None = None,
    title: str | None = None,
    **rules: Unpack[RuleOptions],
) -> Job:
    """Make a Job of a function, partial, bound method, callable object or `async def`.

    Raises RealtimeError if it cannot be one, naming it, its place and the remedy.
    """
    source = where(function)
    mark = mark_of(function) or Mark()
    name = name or mark.name or own_name(function)
    held = read_rules(rules) if rules else mark.rules
    try:
        refuse_other_callables(function)
        parameters = read_parameters(function)
        reference = reference_to(function) if held.isolation == "process" else None
    except TypeError as error:
        raise RealtimeError(f"{name!r} ({source}) cannot be a job: {error}") from error
    check_name(name, source)
    return Job(
        name=name,
        title=title or mark.title or title_of(name),
        description=description_of(function),
        function=function,
        parameters=parameters.schema,
        is_async=is_async_function(function),
        source=source,
        rules=held,
        reference=reference,
        _model=parameters,
    )


class JobRegistry:
    """The jobs of one application, in the order in which they were registered.

    Not locked: jobs are registered while the application starts, before it serves.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(
        self,
        function: Callable[..., object],
        *,
        name: str | None = None,
        title: str | None = None,
        service: Service | None = None,
        **rules: Unpack[RuleOptions],
    ) -> Job:
        """Make `function` a job. Raises RealtimeError if it cannot be one or its name is taken."""
        made = replace(make_job(function, name=name, title=title, **rules), service=service)
        self.extend([made])
        return made

    def extend(self, jobs: Iterable[Job]) -> None:
        """Take all of `jobs`, or none. Raises RealtimeError if a name is taken or comes twice."""
        merged = dict(self._jobs)
        for new in jobs:
            if new.name in merged:
                raise RealtimeError(
                    f"the job {new.name!r} of {new.source} is already registered, "
                    f"from {merged[new.name].source}: give one of them another name=..."
                )
            merged[new.name] = new
        self._jobs = merged

    def get(self, name: str) -> Job:
        """Return the job of that name. Raises UnknownJob, which says what there is."""
        found = self._jobs.get(name) if isinstance(name, str) else None
        if found is None:
            names = list(self._jobs)
            shown = ", ".join(names[:_NAMES_SHOWN]) or "none"
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            raise UnknownJob(f"there is no job {str(name)[:80]!r}; there are: {shown}{more}")
        return found

    def check(self) -> None:
        """Raise ConfigurationError if a process of a job's own would find another function.

        Call it when all modules are loaded: a decorator registers a function before its module
        has it.
        """
        for job in self:
            if job.reference is not None:
                try:
                    check(job.function, job.reference)
                except TypeError as error:
                    raise ConfigurationError(
                        f"{job.name!r} ({job.source}) cannot be a job: {error}"
                    ) from error

    def keep(self) -> dict[str, Keep]:
        """What is kept of the runs of each job that says so."""
        return {job.name: job.rules.keep for job in self if job.rules.keep != KEEP_ALL}

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, name: object) -> bool:
        return name in self._jobs


def check_name(name: str, source: str) -> None:
    """Raises RealtimeError if `name` does not fit an address."""
    if not _NAME.fullmatch(name):
        raise RealtimeError(
            f"{name!r:.200} ({source}) cannot be the name of a job: give one with name=..., "
            "of letters, digits and _ . - (100 at most)"
        )


def title_of(name: str) -> str:
    words = re.sub(r"[_.-]+", " ", name).strip()
    return words[:1].upper() + words[1:] or name
