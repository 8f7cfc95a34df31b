"""Where in an application its proxies are: before its routes, and behind its login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from flask import Flask, request

from flask_realtime.errors import ConfigurationError
from flask_realtime.server.hosted import PROXIED
from flask_realtime.trust import parse_authority

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from flask_realtime.proxy.reverseproxy import ReverseProxy

KEY = "flask_realtime.proxies"


def mount(app: Flask, proxy: ReverseProxy) -> None:
    """Add `proxy` to `app`. Raises ConfigurationError when its place is taken."""
    mounted: list[ReverseProxy] = app.extensions.setdefault(KEY, [])
    if any((each.host, each.prefix) == (proxy.host, proxy.prefix) for each in mounted):
        raise ConfigurationError(f"there is another app at {proxy.host}{proxy.prefix or '/'}")
    mounted.append(proxy)
    mounted.sort(key=lambda each: (bool(each.host), len(each.prefix)), reverse=True)
    if len(mounted) == 1:
        _put_before_routes(app, mounted)


def _put_before_routes(app: Flask, mounted: list[ReverseProxy]) -> None:
    """Ask the proxies first, inside of the request's context and of all WSGI middlewares.

    In `wsgi_app` the order of extensions would decide whether the guards of an application stand
    around its proxies. Routes cannot be asked at all: they merge slashes, refuse upgrades and
    decode what must be passed on as it is.
    """
    routes = app.full_dispatch_request

    def find(environ: WSGIEnvironment, path: str) -> ReverseProxy | None:
        name = host_name(environ) if mounted[0].host else ""
        return next((proxy for proxy in mounted if proxy.holds(name, path)), None)

    # Flask 3.2 hands the context on as an argument.
    def full_dispatch_request(*context: Any) -> Any:
        environ = request.environ
        path = raw_path(environ)
        proxy = find(environ, path)
        return routes(*context) if proxy is None else proxy.respond(app, path, context)

    app.extensions[PROXIED] = lambda environ: find(environ, raw_path(environ)) is not None
    app.full_dispatch_request = full_dispatch_request  # type: ignore[method-assign]


def raw_path(environ: WSGIEnvironment) -> str:
    """The path below the parent's script name, percent-encoded as it was sent where that is known.

    One that was sent as a whole address (RFC 9112, section 3.2.2) does not begin with a slash.
    """
    path: str = environ.get("PATH_INFO", "")
    raw: str = environ.get("RAW_PATH_INFO", "")
    if raw == path:
        return raw
    root: str = environ.get("SCRIPT_NAME", "")
    for candidate in (raw, raw.removeprefix(root)):
        if unquote(candidate, encoding="latin-1") == path:
            return candidate
    return quote(path, encoding="latin-1")


def host_name(environ: WSGIEnvironment) -> str:
    """The name that the visitor used, in its normal form; empty if there is none."""
    authority = parse_authority(environ.get("HTTP_HOST", ""))
    return authority.host if authority else ""


def mounted_apps(app: Flask) -> list[ReverseProxy]:
    """The proxies of `app`, for a list of links say."""
    return [*app.extensions.get(KEY, [])]


def start_apps(app: Flask) -> None:
    """Start the children that are not to wait for their first request; returns at once."""
    for proxy in mounted_apps(app):
        if proxy.supervisor is not None and proxy.supervisor.eager:
            proxy.supervisor.start()


def stop_apps(app: Flask) -> None:
    """End all children, at the same time, and close idle connections. Blocks until it is done."""
    proxies = mounted_apps(app)
    for proxy in proxies:
        if proxy.supervisor is not None:
            proxy.supervisor.ask_to_stop()
    for proxy in proxies:
        proxy.close()
