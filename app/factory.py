"""The application factory, and how it is served."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

from flask import Flask

from app.apps import links_of, mount_apps
from app.events import Events
from app.health import health_blueprint
from app.keyprints import key_prints
from app.logcontext import noting, of_request_and_run
from app.login.integration import api_base_url, integration_of
from app.login.keys import session_key
from app.login.pages import login_blueprint, login_redirect, protect_from_forgery
from app.login.weblogin import WebexLogin
from app.logs import log_to_stderr
from app.metrics import add_metrics
from app.options import add_jobs, options_of, token_keys_of
from app.sandboxprocess import sandbox_running
from app.settings import Settings, exit_misconfigured, settings_of
from app.workers import executor, note_sandbox, redis_url_of, sandbox_note
from flask_realtime import ConfigurationError, Realtime
from flask_realtime.jobsfolder.jobsfolder import load
from flask_realtime.masking import Secrets
from flask_realtime.proxy import start_apps, stop_apps


def create_app(
    settings: Settings, *, sandbox: str | None = None, secrets: Secrets | None = None
) -> Flask:
    """Return the Flask application; its Realtime is ``app.extensions["realtime"]``.

    Starts nothing but the files of JOBS_PATH; keys that are missing are made. `sandbox` is the
    address of the Webex sandbox where one is used; `secrets` learns what no log may show.
    Raises ConfigurationError.
    """
    app = Flask(__name__, instance_path=str(settings.instance_path))
    login = None
    if settings.login == "webex":
        login = _webex_login(app, settings, sandbox, secrets or Secrets())
    realtime = Realtime(
        title="Flask-Realtime",
        url_prefix="/",
        redis_url=redis_url_of(settings),
        redis_data=settings.redis_data,
        archive_url=settings.archive_url,
        identify=noting(login.identify if login else lambda: "local"),
        login=login_redirect if login else None,
        hosts=settings.trusted_hosts,
        proxies=settings.trusted_proxies,
        events=Events,
        async_mode=settings.async_mode,
        remote=executor(settings, lambda: realtime.redis_url),
        options=replace(options_of(settings), key_prints=key_prints(settings)),
    )
    add_jobs(realtime.jobs, settings)
    realtime.init_app(app)
    if login is not None:
        login.connect(realtime)
        protect_from_forgery(app, login)
        app.register_blueprint(
            login_blueprint(login, realtime, None if sandbox else settings.redirect_uri)
        )
    apps = []
    if settings.apps_file is not None:
        apps = mount_apps(
            app,
            realtime,
            settings.apps_file,
            noting(login.identify if login else lambda: "local"),
            login_redirect if login else None,
        )

    @app.context_processor
    def of_all_pages() -> dict[str, object]:
        return {"apps": links_of(apps)}

    if settings.jobs_path is not None:
        failures = load(settings.jobs_path, realtime.jobs)
        if failures:
            realtime.engine.notices.set(
                "jobs_folder", "\n".join(str(failure) for failure in failures)
            )
    app.register_blueprint(health_blueprint(realtime.engine))
    if settings.metrics_token:
        (secrets or Secrets()).add(settings.metrics_token)
        app.extensions["metrics"] = add_metrics(app, realtime, settings.metrics_token)
    return app


def _webex_login(
    app: Flask, settings: Settings, sandbox: str | None, secrets: Secrets
) -> WebexLogin:
    integration = integration_of(settings, sandbox)
    app.config.update(
        SECRET_KEY=settings.secret_key or session_key(settings.instance_path),
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SESSION_COOKIE_NAME="flask_realtime",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict: it would be missing on the way back from Webex
        SESSION_COOKIE_SECURE=settings.server_cert is not None
        or (sandbox is None and settings.redirect_uri.startswith("https:")),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.login_hours),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    for key in (app.config["SECRET_KEY"], *settings.secret_key_fallbacks):
        secrets.add(key)
    login = WebexLogin(
        app,
        integration,
        api_base_url=api_base_url(settings, sandbox),
        token_keys=token_keys_of(settings),
        seconds=settings.login_hours * 3600,
        secrets=secrets,
    )

    @app.context_processor
    def of_all_pages() -> dict[str, object]:
        return {"login": {"sandbox": sandbox, "account": login.sessions.account_or_none()}}

    return login


# What the library calls differently.
_SETTINGS = {"ssl_cert:": "SERVER_CERT:", "ssl_key:": "SERVER_KEY:"}


def _by_setting(line: str) -> str:
    name, _, rest = line.partition(" ")
    return f"{_SETTINGS.get(name, name)} {rest}"


def serve(environ: dict[str, str] | None = None) -> None:
    """Read the settings, serve until Ctrl+C; what is misconfigured ends the program with code 2.

    Without a CLIENT_ID the Webex sandbox is started beside the server.
    """
    secrets = Secrets()
    try:
        settings = settings_of(dict(os.environ) if environ is None else environ)
        log_to_stderr(settings.log_level, secrets, settings.log_format, of_request_and_run)
        with ExitStack() as stack:
            sandbox, note = None, ""
            if settings.login == "webex" and not settings.client_id:
                sandbox = settings.sandbox_url or stack.enter_context(
                    sandbox_running(settings.sandbox_spaces, settings.sandbox_messages)
                )
                note_sandbox(settings, sandbox)
                stack.callback(sandbox_note(settings).unlink, missing_ok=True)
                note = f"Webex sandbox at {sandbox}: invented data, no CLIENT_ID is set"
            app = create_app(settings, sandbox=sandbox, secrets=secrets)
            realtime: Realtime = app.extensions["realtime"]
            stack.callback(stop_apps, app)
            start_apps(app)
            realtime.run(
                app,
                settings.host,
                settings.port,
                note=note,
                ssl_cert=settings.server_cert,
                ssl_key=settings.server_key,
                redirect_http=settings.redirect_http,
                hsts_seconds=settings.hsts_seconds,
                access_log=None if settings.access_log == "none" else settings.access_log,
            )
    except ConfigurationError as error:
        exit_misconfigured(ConfigurationError(*map(_by_setting, error.lines)))
