"""What a job may stand for: what goes on with or without a run of it, an app server say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

# restarting: it died, and is started again by itself; failed: so it is, but it does not come up.
STATES = ("stopped", "starting", "running", "stopping", "restarting", "failed")
ACTIONS = ("start", "stop", "restart")


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How a service does.

    `state` is one of STATES, `since` when it began, in seconds since the epoch. `starts` counts
    the starts; `fault` says why it ended by itself the last time, or is empty. `held`: it was
    stopped by hand; otherwise it may start by itself, when it is opened.
    """

    state: str
    since: float
    pid: int | None = None
    starts: int = 0
    fault: str = ""
    held: bool = False

    def public(self) -> dict[str, Any]:
        """The object of the wire protocol."""
        since = datetime.fromtimestamp(self.since, timezone.utc).isoformat(timespec="milliseconds")
        return {
            "state": self.state,
            "since": since.replace("+00:00", "Z"),
            "pid": self.pid,
            "starts": self.starts,
            "fault": self.fault,
            "held": self.held,
        }


class Service(Protocol):
    """Give it to a job, which then shows what it prints and ends with it.

    The service sees to itself; `start`, `stop` and `restart` return at once, and may be called in
    any thread, as `status` may. The library sets `changed`, which the service calls, in any
    thread, when its status is another one.
    """

    changed: Callable[[], object]

    @property
    def href(self) -> str:
        """Where one opens it: an address for a link, or empty. Asked for in a request's context."""

    @property
    def status(self) -> ServiceStatus: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def restart(self) -> None: ...


def describe(service: Service) -> dict[str, Any]:
    """A service as clients see it; in a request's context."""
    return {"href": service.href, **service.status.public()}
