"""Other app servers behind this one's origin and login: those that APPS_FILE names."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, abort, request

from flask_realtime import Realtime
from flask_realtime.jobs import title_of
from flask_realtime.proxy import ReverseProxy, Supervisor, load_apps

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LOOK_SECONDS = 0.2  # between two looks at whether to stop


@dataclass(frozen=True)
class AppLink:
    """A mounted app, for the pages' header; `path` is below the application's own root."""

    title: str
    path: str


def mount_apps(
    app: Flask,
    realtime: Realtime,
    path: Path,
    identify: Callable[[], str | None],
    login: Callable[[], ResponseReturnValue] | None,
) -> list[AppLink]:
    """Mount the app servers of the TOML file at `path`, for who is logged in.

    Each that runs as a child becomes a job as well: it shows what the child prints, and its Stop
    stops the child. Raises ConfigurationError.
    """

    def allow() -> bool | ResponseReturnValue:
        if identify() is not None:
            return True
        if login is None or request.method != "GET" or request.headers.get("Upgrade"):
            abort(401)
        return login()

    links = []
    for mounted in load_apps(path, allow=allow):
        mounted.init_app(app)
        if not mounted.host:
            links.append(AppLink(title_of(mounted.name), f"{mounted.prefix}/"))
        if mounted.supervisor is not None:
            _add_job(realtime, mounted, mounted.supervisor)
    return links


def _add_job(realtime: Realtime, mounted: ReverseProxy, supervisor: Supervisor) -> None:
    def run_app(running: Callable[[], bool], restart: bool = False) -> None:
        follow(supervisor, running, restart)

    run_app.__doc__ = f"""Run the app at {mounted.prefix}/, and show what it prints.

    It also starts by itself when somebody opens it. Stop ends it, for everybody; `restart` ends
    it first and starts it anew.
    """
    name = f"app_{mounted.name}"
    realtime.job(name=name, title=f"{title_of(mounted.name)} (app)")(run_app)


def follow(supervisor: Supervisor, running: Callable[[], bool], restart: bool) -> None:
    """Have an app server run, and print what it prints, until `running()` says no: then end it.

    Blocks: for a job's thread.
    """
    arrived: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    if restart:
        supervisor.stop()
    forget = supervisor.output.listen(lambda offset, data: arrived.put((offset, data)))
    try:
        end = _show(supervisor.output.read())
        supervisor.start()
        while running():
            try:
                offset, data = arrived.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if supervisor.status.state == "stopped":
                    print("The app was stopped.")
                    return
                continue
            end = _show((offset, data), end)
    finally:
        forget()
    supervisor.stop()
    print("The app is stopped.")


def _show(part: tuple[int, bytes], end: int = 0) -> int:
    """Print what of `part`, which begins at an offset, is not before `end`; the new end."""
    offset, data = part
    sys.stdout.buffer.write(data[max(0, end - offset) :])
    return max(end, offset + len(data))


def links_of(links: list[AppLink]) -> list[dict[str, Any]]:
    """The links as a page needs them, below the path at which the application is served."""
    return [{"title": link.title, "href": request.script_root + link.path} for link in links]
