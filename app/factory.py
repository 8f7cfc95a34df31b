"""The application factory, and how it is served."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from flask import Flask

from app.code_census import code_census
from app.events import Events
from app.health import health_blueprint
from app.settings import Settings, exit_misconfigured, read_settings
from flask_realtime import ConfigurationError, Options, Realtime
from flask_realtime.jobsfolder import load

ROOT = Path(__file__).resolve().parent.parent
KIB = 1 << 10
MIB = 1 << 20


def create_app(settings: Settings) -> Flask:
    """Return the Flask application; its Realtime is ``app.extensions["realtime"]``.

    Starts nothing but the files of JOBS_PATH. Raises ConfigurationError.
    """
    app = Flask(__name__, instance_path=str(ROOT / "instance"))
    realtime = Realtime(
        title="Flask-Realtime",
        url_prefix="/",
        redis_url=settings.redis_url,
        redis_data=settings.redis_data,
        hosts=settings.trusted_hosts,
        events=Events,
        options=Options(
            max_runs=settings.max_runs,
            stop_grace_seconds=settings.stop_grace_seconds,
            job_buffer_bytes=settings.job_buffer_kib * KIB,
            output_keep_bytes=settings.output_keep_mib * MIB,
            viewer_window_bytes=settings.viewer_window_kib * KIB,
            max_event_bytes=settings.max_event_kib * KIB,
        ),
    )
    realtime.job(code_census)
    realtime.init_app(app)
    if settings.jobs_path is not None:
        failures = load(settings.jobs_path, realtime.jobs)
        if failures:
            realtime.engine.note("jobs_folder", "\n".join(str(failure) for failure in failures))
    app.register_blueprint(health_blueprint(realtime.engine))
    return app


def serve(environ: dict[str, str] | None = None) -> None:
    """Read the settings, serve until Ctrl+C; what is misconfigured ends the program with code 2."""
    try:
        settings = read_settings(
            dict(os.environ) if environ is None else environ, env_file=ROOT / ".env"
        )
        logging.basicConfig(
            level=settings.log_level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        app = create_app(settings)
        realtime: Realtime = app.extensions["realtime"]
        realtime.run(app, settings.host, settings.port)
    except ConfigurationError as error:
        exit_misconfigured(error)
