"""ReverseProxy: an app server's HTTP and WebSockets under a prefix of a Flask application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, session
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_realtime.errors import ConfigurationError
from flask_realtime.forwarded import TrustedProxies
from flask_realtime.proxy.headers import HeaderRules, Visit
from flask_realtime.proxy.limits import Limits
from flask_realtime.proxy.mounts import mount
from flask_realtime.proxy.paths import PathMap, checked_prefix
from flask_realtime.proxy.request import ProxiedRequest
from flask_realtime.proxy.rewriting import Rewriting
from flask_realtime.proxy.supervisor import Supervisor
from flask_realtime.proxy.upstream import Pool, parse_upstream
from flask_realtime.trust import normal_host

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask.typing import ResponseReturnValue

# Cookies of the extensions that log people in; that of Flask's session is read from its settings.
LOGIN_COOKIES = ("remember_token",)


class ReverseProxy:
    """Mounts an app server at `prefix`, behind the login of the application.

    ``ReverseProxy("/bokeh", upstream="http://127.0.0.1:5101").init_app(app)`` passes on what is
    below /bokeh; `upstream` may also be ``unix:/path/of/socket``, and have a path of its own. With
    `command`, or a `supervisor`, the app server is a child of this process. Without `upstream` it
    gets a place: ``{socket}`` in its arguments is a private Unix socket, ``{port}`` a free port
    (in `upstream`, too), ``{prefix}`` the prefix.

    `strip_prefix`: the app server knows nothing of the prefix; but paths that begin with one of
    `whole` reach it unchanged. `rewrite` maps texts of its pages and scripts to others, with
    ``{prefix}`` for the public prefix. `host` mounts it on a host name of its own, which keeps it
    from the pages, cookies and storage of this one: what is mounted on one's own origin can do all
    that one's own pages can.

    Requests pass the `before_request` functions of the application (not those of blueprints, and
    not `after_request`). `allow()` is called after them, in the request's context; it returns True,
    or False (403), or a response, a redirect to a login for example. Cookies of the parent,
    `cookies` among them, and headers in `dropped` reach no app server.

    `hosts` are the names that are answered to, all when there are none: a server of this machine
    alone should have flask_realtime.trust.LOOPBACK_HOSTS here, or any site whose name leads to
    127.0.0.1 reaches it. `origins` may open WebSockets beside the pages of this site; "*" is every
    one. `proxies` are addresses of reverse proxies whose X-Forwarded headers are believed; behind
    Realtime's own `proxies` none need be named.
    """

    def __init__(
        self,
        prefix: str = "/",
        upstream: str = "",
        *,
        command: Sequence[str] | None = None,
        supervisor: Supervisor | None = None,
        name: str = "",
        host: str = "",
        strip_prefix: bool = False,
        whole: Iterable[str] = (),
        rewrite: Mapping[str, str] | None = None,
        preserve_host: bool = True,
        allow: Callable[[], bool | ResponseReturnValue] | None = None,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        cookies: Iterable[str] = (),
        dropped: Iterable[str] = ("Authorization",),
        proxies: Iterable[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.prefix = checked_prefix(prefix)
        self.name = name or self.prefix.strip("/") or host
        self.host = _checked_host(host)
        if command is not None:
            if supervisor is not None:
                raise ConfigurationError("give a command or a supervisor, not both")
            supervisor = Supervisor(command)
        self.supervisor = supervisor
        if supervisor is not None:
            upstream = supervisor.place(upstream, self.prefix)
        if not upstream:
            raise ConfigurationError(f"the app at {prefix} has neither an upstream nor a command")
        address, base = parse_upstream(upstream)
        if base and not strip_prefix:
            raise ConfigurationError(
                f"{upstream}: an upstream's path takes the prefix' place: set strip_prefix=True"
            )
        self.limits = limits or Limits()
        self.paths = PathMap(self.prefix, base if strip_prefix else self.prefix, tuple(whole))
        self.strip_prefix = strip_prefix
        self.rewriting = Rewriting(rewrite or {})
        self.hosts = frozenset(_checked_host(each) for each in hosts)
        self.origins = frozenset(origins)
        proxies = tuple(proxies)
        self._proxies = TrustedProxies(proxies) if proxies else None
        self.pool = Pool(address, self.limits.connect_timeout)
        self.tunnels = 0
        self._preserve_host = preserve_host
        self._allow = allow
        self._cookies = frozenset((*LOGIN_COOKIES, *cookies))
        self._known_rules: dict[str, HeaderRules] = {}  # by the name of the session's cookie
        self._dropped = frozenset(each.lower() for each in dropped)

    def init_app(self, app: Flask) -> ReverseProxy:
        """Mount it in `app`; starts nothing. Raises ConfigurationError when the place is taken."""
        mount(app, self)
        return self

    def holds(self, host_name: str, path: str) -> bool:
        """Whether a request is for this app server; `path` as it was sent."""
        return (not self.host or host_name == self.host) and self.paths.holds(path)

    def respond(self, app: Flask, path: str, context: tuple[Any, ...]) -> WSGIApplication:
        """Answer the current request; called in its context. The answer is a WSGI application."""
        flask: Any = app  # the context is an argument from Flask 3.2 on
        try:
            refusal = flask.preprocess_request(*context)
            if refusal is None:
                refusal = self._refusal(app)
        except Exception as error:  # noqa: BLE001 - what Flask does around its own hooks
            refusal = flask.handle_user_exception(*context, error)
        if refusal is not None:
            answer: WSGIApplication = flask.finalize_request(*context, refusal)
            return answer
        cookies = []
        if not app.session_interface.is_null_session(session):
            parents = app.response_class()
            app.session_interface.save_session(app, session, parents)
            cookies = [("Set-Cookie", value) for value in parents.headers.getlist("Set-Cookie")]
        return ProxiedRequest(self, self._rules(app.config["SESSION_COOKIE_NAME"]), path, cookies)

    def _rules(self, session_cookie: str) -> HeaderRules:
        found = self._known_rules.get(session_cookie)
        if found is None:
            found = self._known_rules[session_cookie] = HeaderRules(
                self.paths,
                self.pool.address.authority,
                self._preserve_host,
                self._cookies | {session_cookie},
                self._dropped,
            )
        return found

    def _refusal(self, app: Flask) -> ResponseReturnValue | None:
        allowed = self._allow() if self._allow is not None else True
        if allowed is True:
            return None
        return ("You may not use this app.\n", 403) if allowed is False else allowed

    def visit(self, environ: WSGIEnvironment) -> Visit:
        """Who asks, by what name; X-Forwarded headers count only from a proxy that is named."""
        if self._proxies is not None and environ.get("REMOTE_ADDR", "") in self._proxies:
            environ = dict(environ)
            _believe(environ, _no_response)
        return Visit(
            environ.get("HTTP_HOST", ""),
            environ["wsgi.url_scheme"],
            environ.get("REMOTE_ADDR", ""),
            environ.get("SCRIPT_NAME", ""),
        )

    def begin(self, tunnel: bool, hold: float) -> Callable[[], None]:
        """Note that a request is on its way, until what is returned is called.

        Waits up to `hold` seconds for an app server that starts; raises NotReady after them.
        """
        supervisor = self.supervisor
        if supervisor is not None:
            supervisor.wait_ready(hold)
            supervisor.begin_use()
        self.tunnels += tunnel

        def end() -> None:
            self.tunnels -= tunnel
            if supervisor is not None:
                supervisor.end_use()

        return end

    def close(self) -> None:
        """Stop the app server if it is a child, and close idle connections. Blocks."""
        if self.supervisor is not None:
            self.supervisor.stop()
        self.pool.close()


def _no_response(*_: object) -> Callable[[bytes], object]:
    raise AssertionError("nothing is answered here")


def _nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return ()


# Changes the environment that it is called with.
_believe = ProxyFix(_nothing, x_for=1, x_proto=1, x_host=1, x_prefix=1)


def _checked_host(host: str) -> str:
    name = normal_host(host) if host else ""
    if name is None:
        raise ConfigurationError(f"{host!r} is no host name: expected one without a port")
    return name
