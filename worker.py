"""The Celery application of the workers: `celery -A worker worker` and `make worker` serve it."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # When Celery asks for it: importing does nothing.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app.workerapp import make_worker_app

    made = globals()["app"] = make_worker_app()
    return made
