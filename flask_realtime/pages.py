"""The page: its template, and its built assets under names that hold a hash of their content."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.exceptions import Unauthorized

from flask_realtime.errors import ConfigurationError
from flask_realtime.trust import security_headers

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

ASSETS = Path(__file__).parent / "static" / "dist"
FOREVER = "public, max-age=31536000, immutable"  # a changed file has another name


def pages_blueprint(
    title: str,
    identify: Callable[[], str | None],
    login: Callable[[], ResponseReturnValue] | None,
) -> Blueprint:
    """Return the blueprint with the page at `/`, `/runs` (all runs) and `/runs/<id>`.

    `login()` is what these answer to nobody.

    Raises ConfigurationError when the page has not been built.
    """
    pages = Blueprint("realtime", __name__, template_folder="templates")
    names = _manifest()

    @pages.get("/")
    @pages.get("/runs", endpoint="history")
    @pages.get("/runs/<run_id>", endpoint="run")
    def index(run_id: str = "") -> ResponseReturnValue:
        user = identify()
        if user is None:
            if login is None:
                raise Unauthorized("Log in first.")
            return login()
        page = render_template(
            "realtime/page.html",
            title=title,
            run_id=run_id,
            user=user,
            page_base=url_for("realtime.index"),
            api_base=url_for("realtime_api.jobs").removesuffix("/jobs"),
            socket_path=f"{request.script_root}/socket.io",
        )
        response = Response(page)
        response.headers["Cache-Control"] = "no-store"
        response.headers.update(security_headers())
        return response

    @pages.app_template_global("realtime_asset")
    def asset_url(name: str) -> str:
        return url_for("realtime.asset", name=names[name])

    @pages.get("/assets/<name>")
    def asset(name: str) -> Response:
        response = pages.send_static_file(name)
        response.headers["Cache-Control"] = FOREVER
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    pages.static_folder = str(ASSETS)
    return pages


def _manifest() -> dict[str, str]:
    try:
        names: dict[str, str] = json.loads((ASSETS / "manifest.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"the page has not been built: {ASSETS} has no manifest.json; run `make build`, "
            "or install the package from a wheel"
        ) from error
    return names
