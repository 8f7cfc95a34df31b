"""The control endpoint: faults, settings, and the log of requests. For this machine only."""

from __future__ import annotations

import ipaddress
import typing
from typing import Any

import msgspec
from aiohttp import web

from webexsandbox.effects import Kind
from webexsandbox.errors import ApiError
from webexsandbox.faults import Armed, Fault
from webexsandbox.state import STATE, Settings

PATH = "/_control"
MOST_FAULTS = 1000
HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Orders(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a POST."""

    faults: list[Kind] = []
    settings: dict[str, Any] = {}


def routes() -> list[web.RouteDef]:
    return [web.get(PATH, _show), web.post(PATH, _change), web.delete(PATH, _reset)]


async def _show(request: web.Request) -> web.Response:
    refuse_others(request)
    recorder = request.app[STATE].recorder
    return web.json_response(
        {
            "requests": recorder.requests,
            "in_flight": recorder.in_flight,
            "most_in_flight": recorder.most_in_flight,
            "token_calls": recorder.token_calls,
            "log": list(recorder.log),
        }
    )


async def _change(request: web.Request) -> web.Response:
    refuse_others(request)
    # A page of another site can make a browser send anything but this type without asking first.
    if request.content_type != "application/json":
        raise ApiError(415, "Send application/json.")
    state = request.app[STATE]
    try:
        orders = msgspec.json.decode(await request.read(), type=Orders)
        settings = msgspec.convert(
            {**msgspec.structs.asdict(state.settings), **orders.settings}, Settings
        )
    except msgspec.ValidationError as error:
        raise ApiError(400, f"{error}. {_help()}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError(400, f"The body is not JSON: {error}") from None
    if len(state.faults) + len(orders.faults) > MOST_FAULTS:
        raise ApiError(400, f"More than {MOST_FAULTS} faults: reset with DELETE first.")
    state.settings = settings
    state.faults += [Armed(fault) for fault in orders.faults]
    return web.Response(status=204)


async def _reset(request: web.Request) -> web.Response:
    refuse_others(request)
    request.app[STATE].reset()
    return web.Response(status=204)


def refuse_others(request: web.Request) -> None:
    """Refuse other machines, and pages of other sites whose name was pointed to this machine.

    Raises ApiError 403.
    """
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        is_here = False
    else:
        # A socket for both families writes 127.0.0.1 as ::ffff:127.0.0.1.
        address = getattr(address, "ipv4_mapped", None) or address
        is_here = address.is_loopback
    host = request.host if request.host.endswith("]") else request.host.rsplit(":", 1)[0]
    if not is_here or host not in HOSTS:
        raise ApiError(403, "The control endpoint answers to this machine only.")


def _help() -> str:
    common = list(Fault.__struct_fields__)
    kinds = []
    for kind in typing.get_args(Kind):
        own = [name for name in kind.__struct_fields__ if name not in common]
        kinds.append(f"{kind.__struct_config__.tag}({', '.join(own)})")
    return (
        f'A fault has "do" and any of {", ".join(common)}. '
        f"Kinds with their arguments: {', '.join(kinds)}. "
        f"Settings: {', '.join(Settings.__struct_fields__)}."
    )
