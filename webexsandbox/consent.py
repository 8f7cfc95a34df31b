"""The consent page: a user is chosen, access granted or denied, and the browser sent back."""

from __future__ import annotations

import html
import re
import string
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from webexsandbox.cast import BY_NAME, USERS
from webexsandbox.errors import ApiError
from webexsandbox.exchange import CURRENT
from webexsandbox.grants import Code
from webexsandbox.options import Options
from webexsandbox.state import STATE

PATH = "/v1/authorize"
STYLE_PATH = "/sandbox.css"
LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?([/?]|$)")
SCOPE = re.compile(r"(spark|spark-admin|spark-compliance|meeting|analytics):[a-z_]+")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
CARRIED = (
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
FOLDER = Path(__file__).parent / "static"


class BadRequest(Exception):
    """The browser cannot be sent back: it stays here, with this sentence."""


class Refused(Exception):
    """The browser is sent back with this error code of RFC 6749, section 4.1.2.1."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def routes() -> list[web.RouteDef]:
    return [web.get(PATH, _ask), web.post(PATH, _decide), web.get(STYLE_PATH, _style)]


async def _ask(request: web.Request) -> web.Response:
    return _answer(request, request.query, decided=False)


async def _decide(request: web.Request) -> web.Response:
    try:
        fields = await request.post()
    except (ValueError, LookupError):
        raise ApiError(400, "The form is not valid.") from None
    form = {name: value for name, value in fields.items() if isinstance(value, str)}
    return _answer(request, form, decided=True)


async def _style(request: web.Request) -> web.FileResponse:
    return web.FileResponse(FOLDER / "consent.css")


def _answer(request: web.Request, fields: Mapping[str, str], *, decided: bool) -> web.Response:
    state = request.app[STATE]
    try:
        uri = _redirect_uri(state.options, fields)
    except BadRequest as error:
        return _page("error", 400, message=str(error))
    exchange = CURRENT.get()
    state_text = fields.get("state", "")
    if exchange.wrong_state:
        state_text = f"changed-{state_text[::-1]}"
    try:
        scope = _checked(fields)
        if exchange.authorize_error:
            raise Refused(exchange.authorize_error, "An invented fault of the sandbox.")
        if not decided:
            return _consent_page(fields, uri, scope)
        if fields.get("decision") != "grant":
            raise Refused("access_denied", "The user denied the request.")
        if fields.get("user") not in USERS:
            raise Refused("server_error", "No such user in the sandbox.")
    except Refused as refused:
        answer = {"error": refused.error, "error_description": refused.description}
    else:
        person = exchange.person = BY_NAME[fields["user"]]
        expires = time.time() + state.settings.code_seconds
        granted = exchange.granted_scope or scope
        challenge = fields.get("code_challenge", "")
        answer = {
            "code": state.grants.new_code(
                Code(person, granted, fields["redirect_uri"], challenge, expires)
            )
        }
    if state_text:
        answer["state"] = state_text
    parts = urlsplit(uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *answer.items()])
    location = urlunsplit(parts._replace(query=query))
    return web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})


def _redirect_uri(options: Options, fields: Mapping[str, str]) -> str:
    if fields.get("client_id") != options.client_id:
        raise BadRequest("The client_id is not known to this sandbox.")
    uri = fields.get("redirect_uri", "")
    allowed = uri in options.redirect_uris if options.redirect_uris else LOCAL.match(uri)
    if not allowed or not uri.isprintable() or not uri.isascii() or "#" in uri:
        raise BadRequest("The redirect_uri is not one that this sandbox accepts.")
    return uri


def _checked(fields: Mapping[str, str]) -> str:
    """Return the scope that is asked for. Raises Refused."""
    if fields.get("response_type") != "code":
        raise Refused("unsupported_response_type", "The response_type must be code.")
    scopes = fields.get("scope", "").split()
    if not scopes or not all(SCOPE.fullmatch(scope) for scope in scopes):
        raise Refused("invalid_scope", "The scope is missing or holds an unknown one.")
    challenge = fields.get("code_challenge")
    if challenge is not None or "code_challenge_method" in fields:
        if fields.get("code_challenge_method") != "S256":
            raise Refused("invalid_request", "The code_challenge_method must be S256.")
        if not CHALLENGE.fullmatch(challenge or ""):
            raise Refused("invalid_request", "The code_challenge is not one of S256.")
    return " ".join(scopes)


def _consent_page(fields: Mapping[str, str], uri: str, scope: str) -> web.Response:
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{html.escape(fields[name])}">'
        for name in CARRIED
        if name in fields
    )
    users = "\n".join(
        f'<label><input type="radio" name="user" value="{name}"{" checked" if not n else ""}>'
        f"<span>{html.escape(BY_NAME[name].display_name)}"
        f"<small>{html.escape(BY_NAME[name].email)}</small></span></label>"
        for n, name in enumerate(USERS)
    )
    scopes = "\n".join(f"<li><code>{html.escape(each)}</code></li>" for each in scope.split())
    parts = urlsplit(uri)
    return _page(
        "consent",
        200,
        # Browsers hold the redirect that answers a form to `form-action` as well.
        form_action=f"'self' {parts.scheme}://{parts.netloc}",
        hidden=hidden,
        users=users,
        scopes=scopes,
        target=html.escape(f"{parts.scheme}://{parts.netloc}"),
    )


def _page(name: str, status: int, *, form_action: str = "'none'", **values: str) -> web.Response:
    template = string.Template((FOLDER / f"{name}.html").read_text("utf-8"))
    if "message" in values:
        values["message"] = html.escape(values["message"])
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {form_action}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    text = template.substitute(values)
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
