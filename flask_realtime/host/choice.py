"""Which implementation of the hub a process uses: settled once, by `use` or by the first use."""

from __future__ import annotations

import importlib
from types import ModuleType

from flask_realtime.errors import ConfigurationError

DEFAULT = "eventlet"
# Flask-SocketIO's name → the module
IMPLEMENTATIONS = {
    "eventlet": "flask_realtime.host.eventlet",
    "threading": "flask_realtime.host.threads",
}

_chosen: ModuleType | None = None


def use(name: str) -> None:
    """Run the hub on `name`, one of IMPLEMENTATIONS, in this process.

    Before the hub is used; later only what it runs on already may be named again. Raises
    ConfigurationError.
    """
    global _chosen
    if name not in IMPLEMENTATIONS:
        raise ConfigurationError(
            f"ASYNC_MODE: there is no {name!r}; there are {', '.join(IMPLEMENTATIONS)}"
        )
    if _chosen is None:
        _chosen = importlib.import_module(IMPLEMENTATIONS[name])
    elif _chosen.__name__ != IMPLEMENTATIONS[name]:
        raise ConfigurationError(
            f"ASYNC_MODE: this process runs on {_chosen.ASYNC_MODE!r} already, and cannot change "
            f"to {name!r}: name it before anything else uses the hub"
        )


def chosen() -> ModuleType:
    """The implementation; eventlet's if none was named."""
    if _chosen is None:
        use(DEFAULT)
    assert _chosen is not None
    return _chosen
