"""What a reverse proxy says about its visitors; believed from proxies that are named, only."""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.requestid import believe, log_extra
from flask_realtime.trust import Refusal, normal_host, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RESOLVED_SECONDS = 2.0  # a container that was made anew has another address ...
MISSED_SECONDS = 0.1  # ... and one that is restarted has none for a moment

logger = logging.getLogger(__name__)


class TrustedProxies:
    """Addresses, networks and host names of proxies. Raises ConfigurationError for what is none."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._networks: list[Network] = []
        self._names: list[str] = []
        self._resolved: dict[str, tuple[float, frozenset[str]]] = {}
        for proxy in proxies:
            try:
                self._networks.append(ipaddress.ip_network(proxy))
            except ValueError:
                name = normal_host(proxy)
                if name is None or "/" in proxy or name.replace(".", "").isdigit():
                    raise ConfigurationError(
                        f"{proxy!r} is no proxy: expected an address, a network such as "
                        "172.16.0.0/12, or a host name"
                    ) from None
                self._names.append(name)

    def __contains__(self, address: str) -> bool:
        """Whether a connection from `address` is from one of them. May look names up."""
        found = _parsed(address)
        if found is None:
            return False
        if any(found in network for network in self._networks):
            return True
        return any(self._is_of(str(found), name) for name in self._names)

    def _is_of(self, address: str, name: str) -> bool:
        """Whether `name` has `address`. One that it did not have is looked up again, soon."""
        looked_up, addresses = self._resolved.get(name, (float("-inf"), frozenset()))
        age = time.monotonic() - looked_up
        if age >= RESOLVED_SECONDS or (address not in addresses and age >= MISSED_SECONDS):
            addresses = host.offload(_resolve, name)
            self._resolved[name] = (time.monotonic(), addresses)
        return address in addresses


class ForwardedHeaders:
    """WSGI middleware: answers `proxies`, as their visitors, and this machine itself; nobody else.

    Of the X-Forwarded headers (-For, -Proto, -Host, -Prefix) of a proxy the last value counts,
    which is what it has added itself; those of all others are dropped. A proxy may name a request
    (X-Request-ID).
    """

    def __init__(self, wsgi_app: WSGIApplication, proxies: Iterable[str]) -> None:
        self._proxies = TrustedProxies(proxies)
        self._plain = wsgi_app
        self._behind_proxy = ProxyFix(wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        address = environ.get("REMOTE_ADDR", "")
        if address in self._proxies:
            believe(environ)
            return self._behind_proxy(environ, start_response)
        for name in [name for name in environ if name.startswith("HTTP_X_FORWARDED_")]:
            del environ[name]
        found = _parsed(address)
        if found is not None and found.is_loopback:
            return self._plain(environ, start_response)
        logger.warning(
            "refused a connection from %s, which is not one of the proxies",
            address,
            extra=log_extra(environ),
        )
        refusal = Refusal(
            "403 Forbidden",
            "This server answers to its reverse proxy only. "
            "If you are that, name your address in TRUSTED_PROXIES.",
        )
        return refuse(refusal, environ, start_response)


def _parsed(address: str) -> Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _resolve(name: str) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        logger.warning("the proxy %s has no address now: %s", name, error)
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)
