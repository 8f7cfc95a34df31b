"""What hands runs to workers on other machines: the little that the rest knows of it.

A message only says that there may be work: it carries the id of a run, and the run's record says
whether somebody has to do it still. So a message may come twice, late, or for a run that has ended;
and one that was lost is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class RemoteExecutor(Protocol):
    """Sends runs to workers. Its methods block: call them on a native thread."""

    name: str  # as JobRules.executor has it

    def check(self) -> None:
        """Raise ConfigurationError with one line for what is wrong with how it is set up."""

    def send(self, run: str, queue: str, job: str) -> None:
        """Say to the workers of `queue` that there is a run of `job`. Raises ExecutorUnavailable.

        The job's name is for those who watch the messages: a worker reads it in the record.
        """

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        """How many messages of each queue no worker has taken. Raises ExecutorUnavailable."""

    def close(self) -> None:
        """Let go of the connections."""
