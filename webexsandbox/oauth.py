"""The token endpoint and revocation, as Webex has them: form bodies, the secret in the body."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Mapping

from aiohttp import web

from webexsandbox.cast import Person
from webexsandbox.errors import ApiError, error_body
from webexsandbox.exchange import CURRENT
from webexsandbox.grants import Grant, OAuthError
from webexsandbox.options import Options
from webexsandbox.state import STATE, State

TOKEN_PATH = "/v1/access_token"
REVOKE_PATH = "/idb/oauth2/v1/revoke"


def routes() -> list[web.RouteDef]:
    return [web.post(TOKEN_PATH, _token), web.post(REVOKE_PATH, _revoke)]


async def token_caller(request: web.Request, state: State) -> Person | None:
    """Whose code or refresh token a request to the token endpoint carries."""
    if request.path != TOKEN_PATH:
        return None
    form = await _form(request)
    return state.grants.owner(form.get("code", ""), form.get("refresh_token", ""))


async def _token(request: web.Request) -> web.Response:
    state = request.app[STATE]
    try:
        return await _issue(request, state)
    except OAuthError as error:
        if state.settings.error_shape == "error":
            body: dict[str, object] = {"error": error.error, "error_description": str(error)}
        else:
            body = error_body(str(error), CURRENT.get().tracking_id)
        return web.json_response(body, status=error.status, headers={"Cache-Control": "no-store"})


async def _issue(request: web.Request, state: State) -> web.Response:
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthError(415, "invalid_request", "Send application/x-www-form-urlencoded.")
    form = await _form(request)
    if not _is_client(state.options, form.get("client_id", ""), form.get("client_secret", "")):
        raise OAuthError(401, "invalid_client", "The client_id or client_secret is wrong.")
    exchange, settings, now = CURRENT.get(), state.settings, time.time()
    mode = exchange.refresh_mode or settings.refresh_mode
    kind = form.get("grant_type", "")
    shown: str | None
    if kind == "authorization_code":
        grant = state.grants.redeem(
            form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", ""), now
        )
        shown = state.grants.new_refresh(grant)
    elif kind == "refresh_token":
        shown = form.get("refresh_token", "")
        grant = state.grants.refreshable(shown, now)
        if mode == "rotate":
            state.grants.forget_refresh(shown)
            shown = state.grants.new_refresh(grant)
        elif mode == "omit":
            shown = None
    else:
        raise OAuthError(400, "unsupported_grant_type", f"Unsupported grant_type: {kind}")
    seconds = exchange.expires_in if exchange.expires_in is not None else settings.expires_in
    answer = {
        "access_token": state.grants.new_access(grant, now + seconds),
        "expires_in": seconds,
        "token_type": "Bearer",
        "scope": grant.scope,
        **_refresh_fields(shown, grant, now),
    }
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


def _refresh_fields(token: str | None, grant: Grant, now: float) -> Mapping[str, object]:
    if token is None:
        return {}
    return {"refresh_token": token, "refresh_token_expires_in": int(grant.expires - now)}


async def _revoke(request: web.Request) -> web.Response:
    state = request.app[STATE]
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    try:
        pair = base64.b64decode(value, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    client, _, secret = pair.partition(":")
    if not _is_client(state.options, client, secret):
        raise ApiError(401, "The client credentials in the Authorization header are wrong.")
    token = (await _form(request)).get("token")
    if not token:
        raise ApiError(400, "Required String parameter 'token' is not present")
    state.grants.revoke(token)
    return web.Response()


def _is_client(options: Options, client: str, secret: str) -> bool:
    right_id = hmac.compare_digest(client.encode(), options.client_id.encode())
    return hmac.compare_digest(secret.encode(), options.client_secret.encode()) and right_id


async def _form(request: web.Request) -> Mapping[str, str]:
    try:
        fields = await request.post()
    except (ValueError, LookupError):
        raise ApiError(400, "The form is not valid.") from None
    return {name: value for name, value in fields.items() if isinstance(value, str)}
