"""Whether the process is up, and whether it can work."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from flask_realtime import StoreUnavailable
from flask_realtime.engine import Engine
from flask_realtime.errors import ShuttingDown
from flask_realtime.web.api import problem


def health_blueprint(engine: Engine) -> Blueprint:
    """Return the blueprint with /healthz and /readyz."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        """The process answers; says nothing of what it depends on."""
        return jsonify({"status": "up"})

    @health.get("/readyz")
    def readyz() -> Response:
        """Redis answers, and the server is not being stopped: runs can be started."""
        try:
            engine.check_serving()
            engine.check_store()
        except (ShuttingDown, StoreUnavailable) as error:
            return problem(error.status, error.code, error.message)
        return jsonify({"status": "ready"})

    return health
