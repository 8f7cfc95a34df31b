"""A TOML file that names the app servers of an application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.limits import Limits
from flask_realtime.proxy.reverseproxy import ReverseProxy
from flask_realtime.proxy.supervisor import Supervisor
from flask_realtime.tomltext import TomlFault, parse

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_PROXY: tuple[str, ...] = (
    "upstream",
    "host",
    "strip_prefix",
    "whole",
    "rewrite",
    "preserve_host",
    "hosts",
)
_PROXY += ("origins", "cookies", "dropped", "proxies")
_LIMITS = ("connect_timeout", "read_timeout", "idle_timeout", "max_body_bytes", "max_tunnels")
_CHILD = ("environ", "inherit", "eager", "ready_path", "ready_timeout", "idle_stop", "grace")
_OTHERS = ("prefix", "command", "cwd")


def load_apps(
    path: Path, *, allow: Callable[[], bool | ResponseReturnValue] | None = None
) -> list[ReverseProxy]:
    """Read the tables ``[apps.<name>]``: keys are named like the arguments of the classes.

    Paths in ``cwd`` are relative to the file's folder. Raises ConfigurationError, a line a fault.
    """
    try:
        tables = parse(path.read_text("utf-8")).get("apps", {})
    except TomlFault as fault:
        place = f"{path}:{fault.line}" if fault.line else path
        raise ConfigurationError(f"{place} cannot be read: {fault}") from fault
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    apps, faults = [], []
    for name, table in tables.items():
        try:
            apps.append(_app(name, table, path.parent, allow))
        except (ConfigurationError, TypeError, ValueError) as error:
            faults.append(f"{path}: [apps.{name}]: {error}")
    if faults:
        raise ConfigurationError(*faults)
    return apps


def _app(
    name: str,
    table: dict[str, Any],
    folder: Path,
    allow: Callable[[], bool | ResponseReturnValue] | None,
) -> ReverseProxy:
    known = {*_PROXY, *_LIMITS, *_CHILD, *_OTHERS}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigurationError(
            f"{', '.join(unknown)} not known; there are {', '.join(sorted(known))}"
        )
    supervisor = None
    if "command" in table:
        child = {key: table[key] for key in _CHILD if key in table}
        supervisor = Supervisor(table["command"], cwd=folder / table.get("cwd", "."), **child)
    return ReverseProxy(
        table.get("prefix", "/" if table.get("host") else f"/{name}"),
        supervisor=supervisor,
        name=name,
        allow=allow,
        limits=Limits(**{key: table[key] for key in _LIMITS if key in table}),
        **{key: table[key] for key in _PROXY if key in table},
    )
