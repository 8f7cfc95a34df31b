"""``flask realtime run`` and ``flask realtime migrate``: the server from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import ScriptInfo, pass_script_info

from flask_realtime import host as hub
from flask_realtime.errors import ConfigurationError
from flask_realtime.host.choice import IMPLEMENTATIONS
from flask_realtime.server import Server, reloader
from flask_realtime.server.accesslog import FORMATS
from flask_realtime.server.hosted import active_jobs
from flask_realtime.store.schema import prepare_redis

MISCONFIGURED = 2  # exit code


@click.group("realtime")
def realtime() -> None:
    """Serve the application with Flask-Realtime."""


@realtime.command("migrate")
@click.option(
    "--redis-url",
    envvar="REDIS_URL",
    required=True,
    help="Its address; by default that of REDIS_URL. An embedded one is migrated at the start.",
)
def migrate_command(redis_url: str) -> None:
    """Bring what an older version left in Redis up to this one; no server may run meanwhile."""
    try:
        renamed = prepare_redis(redis_url)
    except ConfigurationError as error:
        for line in error.lines:
            click.echo(line, err=True)
        sys.exit(MISCONFIGURED)
    click.echo(f"{renamed} keys were migrated" if renamed else "all is up to date")


@realtime.command("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5000, show_default=True, help="Port; 0 is any that is free.")
@click.option("--cert", help='TLS certificate, a PEM file; "adhoc" makes one up.')
@click.option("--key", help="Its private key, where that is another file.")
@click.option(
    "--redirect-http", type=int, metavar="PORT", help="Send http requests of this port to https."
)
@click.option("--hsts", "hsts_seconds", default=0, metavar="SECONDS", help="Stay with https.")
@click.option("--acme-folder", type=Path, help="Webroot of an ACME client.")
@click.option("--proxy", "proxies", multiple=True, help="A reverse proxy to believe; repeatable.")
@click.option(
    "--access-log",
    type=click.Choice([*FORMATS, "none"]),
    default="combined",
    show_default=True,
    help="Written to stdout.",
)
@click.option(
    "--async-mode",
    type=click.Choice([*IMPLEMENTATIONS]),
    envvar="ASYNC_MODE",
    help="What all runs on; eventlet, unless the application says otherwise.",
)
@click.option("--reload", is_flag=True, help="Start anew when a source file changes.")
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    cert: str | None,
    key: str | None,
    redirect_http: int | None,
    hsts_seconds: int,
    acme_folder: Path | None,
    proxies: tuple[str, ...],
    access_log: str,
    async_mode: str | None,
    reload: bool,
) -> None:
    """Serve until Ctrl+C or SIGTERM; SIGHUP reads certificates again."""
    if reload and not reloader.is_inner():
        sys.exit(reloader.supervise(Path.cwd()))
    watch = None
    try:
        if async_mode is not None:
            hub.use(async_mode)
        app = info.load_app()
        server = Server(
            app,
            access_log=None if access_log == "none" else access_log,
            hsts_seconds=hsts_seconds,
            proxies=proxies,
            acme_folder=acme_folder,
        )
        if reload:
            watch = reloader.Watch(Path.cwd(), lambda: active_jobs(app))
            hub.spawn(watch.run, server.stop)  # begins when `run` waits
        server.run(port, host, ssl_cert=cert, ssl_key=key, redirect_http=redirect_http)
    except ConfigurationError as error:
        for line in error.lines:
            click.echo(line, err=True)
        sys.exit(MISCONFIGURED)
    if watch is not None and watch.restarts:
        sys.exit(reloader.RESTART)
