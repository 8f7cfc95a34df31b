"""Other app servers behind this one's origin and login: those that APPS_FILE names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, abort, request

from app.appservice import AppService
from flask_realtime import Realtime
from flask_realtime.jobs import title_of
from flask_realtime.proxy import ReverseProxy, Supervisor, load_apps

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


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

    Each that runs as a child becomes a job with a service as well: the page shows how it does and
    what it prints, with Start, Stop and Restart. Raises ConfigurationError.
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
    service = AppService(mounted, supervisor)

    def run_app(running: Callable[[], bool]) -> None:
        service.follow(running)

    run_app.__doc__ = f"""Run the app at {mounted.prefix}/, and show what it prints.

    It also starts by itself when somebody opens it. Stop ends it, for everybody.
    """
    name = f"app_{mounted.name}"
    realtime.jobs.add(run_app, name=name, title=title_of(mounted.name), service=service)


def links_of(links: list[AppLink]) -> list[dict[str, Any]]:
    """The links as a page needs them, below the path at which the application is served."""
    return [{"title": link.title, "href": request.script_root + link.path} for link in links]
