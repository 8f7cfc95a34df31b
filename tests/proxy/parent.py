"""The parent application of the tests: python tests/proxy/parent.py JSON; see `main`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from pathlib import Path

from flask import Flask, redirect, request, session
from werkzeug.wrappers import Response

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from flask_realtime import host  # noqa: E402
from flask_realtime.proxy import (  # noqa: E402
    Limits,
    ReverseProxy,
    Supervisor,
    mounted_apps,
    start_apps,
    stop_apps,
)
from flask_realtime.server import Server  # noqa: E402
from flask_realtime.server.limits import Limits as ServerLimits  # noqa: E402

host.use(os.environ.get("ASYNC_MODE") or "eventlet")


def make_app(settings: dict[str, object]) -> Flask:
    app = Flask("parent")
    app.config.update(SECRET_KEY="not a secret", SESSION_COOKIE_NAME="parent_session")

    @app.get("/login")
    def login() -> str:
        session["user"] = "ada"
        return "welcome"

    @app.get("/block")
    def block() -> str:
        time.sleep(float(request.args["seconds"]))  # the hub waits, on purpose
        return "done"

    @app.get("/apps")
    def apps() -> list[dict[str, object]]:
        return [
            {
                "name": each.name,
                "tunnels": each.tunnels,
                "status": dataclasses.asdict(each.supervisor.status) if each.supervisor else None,
                "output": each.supervisor.output.read()[1].decode("utf-8", "replace")[-4000:]
                if each.supervisor
                else "",
            }
            for each in mounted_apps(app)
        ]

    @app.post("/apps/<int:index>/<action>")
    def act(index: int, action: str) -> str:
        supervisor = mounted_apps(app)[index].supervisor
        assert supervisor is not None
        actions = {
            each.__name__: each for each in (supervisor.start, supervisor.stop, supervisor.restart)
        }
        host.offload(actions[action])
        return "done"

    @app.before_request
    def require_login() -> Response | None:
        if settings.get("login") and request.path != "/login" and "user" not in session:
            return redirect("/login")
        return None

    @app.after_request
    def close_all(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response

    return app


def main() -> None:
    """`apps` are the arguments of proxies; "child" and "limits" within them those of theirs.

    `server`: be served by `Server.run`, with its limits; with `tls` over https.
    """
    settings = json.loads(sys.argv[1])
    app = make_app(settings)
    for arguments in settings["apps"]:
        child = arguments.pop("child", None)
        supervisor = Supervisor(**child) if child else None
        limits = Limits(**arguments.pop("limits", {}))
        if arguments.pop("deny", False):
            arguments["allow"] = lambda: False
        ReverseProxy(supervisor=supervisor, limits=limits, **arguments).init_app(app)
    if settings.get("server"):
        start_apps(app)
        try:
            Server(app).run(0, ssl_cert="adhoc" if settings.get("tls") else None)
        finally:
            stop_apps(app)
        return
    server = Server(app, limits=ServerLimits(max_body_bytes=None))
    server.bind(0, "127.0.0.1")
    print(f"Serving http://127.0.0.1:{server.port}/", flush=True)
    start_apps(app)
    try:
        server.serve()
    finally:
        stop_apps(app)
        server.close()


if __name__ == "__main__":
    main()
