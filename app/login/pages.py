"""The pages of the login: to Webex, back from it, and out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from app.login.errors import TokenRefused, TokenServiceUnavailable
from app.login.weblogin import WebexLogin
from app.webex.errors import WebexError
from flask_realtime import Realtime, RealtimeError, StoreUnavailable
from flask_realtime.history import IN_PROGRESS, Filter
from flask_realtime.trust import security_headers
from flask_realtime.web.api import problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

logger = logging.getLogger(__name__)

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")

# What Webex says on the way back, for the user.
CAME_BACK = {
    "access_denied": (
        403,
        "You did not grant access, so you are not logged in. Nothing was stored. "
        "The jobs need that access to work in your name.",
    ),
    "invalid_scope": (
        502,
        "Webex refused the rights that this application asks for (SCOPE). Its operator has to "
        "set SCOPE to what the integration on developer.webex.com has.",
    ),
    "server_error": (502, "Webex could not log you in just now. Try again in a moment."),
}


def login_blueprint(login: WebexLogin, realtime: Realtime, redirect_uri: str | None) -> Blueprint:
    """Return the blueprint with /login, /redirect and /logout.

    `redirect_uri` is where Webex sends users back to; None: to the address by which they came.
    """
    pages = Blueprint("login", __name__)

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.update(security_headers())
        response.headers["Cache-Control"] = "no-store"
        return response

    @pages.errorhandler(StoreUnavailable)
    def store_away(error: StoreUnavailable) -> ResponseReturnValue:
        return _message(
            503,
            "Not now",
            "Redis, which keeps logins, does not answer. Try again in a moment; nothing was "
            "changed.",
        )

    @pages.get("/login")
    def start() -> ResponseReturnValue:
        """Go to Webex, and come back to `next`."""
        next_path = safe_next(request.args.get("next"))
        back = redirect_uri or url_for(".callback", _external=True)
        if _origin(back) != _origin(request.url):
            # The cookie must be one of the address that Webex sends the user back to.
            there = url_for(".start", next=next_path)
            return redirect(f"{_origin(back)}{there}")
        return login.oauth.begin(back, next_path)

    @pages.get("/redirect")
    def callback() -> ResponseReturnValue:
        """What Webex sends the user back to."""
        state = request.args.get("state", "")
        pending = login.oauth.pending(state)
        if pending is None:
            # Perhaps another site sent the user here: nothing of what it says is shown.
            return _message(
                400,
                "This login cannot be completed",
                "It was begun too long ago, in another browser, or it has been completed already.",
            )
        next_path = safe_next(pending.get("next"))
        if "error" in request.args:
            login.oauth.forget(state)
            return _came_back(request.args["error"], next_path)
        before = login.identify()
        try:
            login.complete(login.oauth.finish())
        except TokenRefused as error:
            return _refused(error, next_path)
        except TokenServiceUnavailable as error:
            return _message(503, "You are not logged in", f"{error}.", next_path)
        except WebexError as error:
            logger.warning("Webex did not say who logged in: %s", error)
            return _message(
                502,
                "You are not logged in",
                f"Webex did not say who you are: {error}. Try again in a moment.",
                next_path,
            )
        except StoreUnavailable:
            # The code is used up by now: this address is of no use any more, another login is.
            return _message(
                503,
                "You are not logged in",
                "Redis, which keeps logins, did not answer in time. Log in again in a moment.",
                next_path,
            )
        if before is not None:
            # This browser's other pages belong to a session that is over: they come again.
            realtime.engine.log_out(before)
        return redirect(next_path)

    @pages.get("/logout")
    def goodbye() -> ResponseReturnValue:
        """Ask whether to log out; or say that nobody is logged in."""
        account = login.sessions.account()
        if account is None:
            return render_template("login/loggedout.html")
        return render_template("login/logout.html", account=account)

    @pages.post("/logout")
    def log_out() -> ResponseReturnValue:
        account = login.sessions.account()
        if account is not None:
            if request.form.get("stop_runs"):
                _stop_runs(realtime, account.user)
            login.log_out(account.user)
            realtime.engine.log_out(account.user)
        return redirect(url_for(".goodbye"), 303)

    return pages


def protect_from_forgery(app: Flask, login: WebexLogin) -> None:
    """Let each request that changes something in somebody's name carry their CSRF token.

    A form has it as `csrf_token`, a call of the API in the header X-CSRF-Token. Socket events
    need none: a page of another origin cannot connect.
    """
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # nobody's requests are refused for other reasons
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the guard looks at Origin; no Referer is sent
    forgery = CSRFProtect(app)

    @app.before_request
    def check() -> None:
        # What has no route here is another app's behind a proxy, which has ways of its own.
        is_ours = request.url_rule is not None
        if is_ours and request.method in UNSAFE and login.sessions.account() is not None:
            forgery.protect()

    @app.errorhandler(CSRFError)
    def forged(error: HTTPException) -> ResponseReturnValue:
        said = "The page is older than your login, or the request carries no CSRF token."
        is_call = request.is_json or request.blueprint == "realtime_api"
        if request.accept_mimetypes.accept_html and not is_call:
            return _message(400, "Nothing was changed", f"{said} Load the page again.")
        return problem(400, "csrf", f"{said} Send the header X-CSRF-Token.")

    @app.errorhandler(StoreUnavailable)
    def store_away(error: StoreUnavailable) -> ResponseReturnValue:
        return problem(error.status, error.code, error.message)


def login_redirect() -> Response:
    """What a page answers to nobody: the way to Webex, and back to the page."""
    path = request.script_root + request.full_path.rstrip("?")
    return redirect(url_for("login.start", next=path))  # type: ignore[return-value]


def safe_next(text: object) -> str:
    """Return `text` if it is a path on this server, else the main page.

    Browsers take ``//host`` and ``/\\host`` for other servers, and drop control characters first.
    """
    main = url_for("realtime.index")
    if not isinstance(text, str) or len(text) > 2000:
        return main
    if not text.isprintable() or "\\" in text or not text.startswith("/") or text[1:2] == "/":
        return main
    return text


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _came_back(error: str, next_path: str) -> ResponseReturnValue:
    status, text = CAME_BACK.get(
        error, (502, f"Webex did not log you in ({error[:60]}). Try again in a moment.")
    )
    return _message(status, "You are not logged in", text, next_path)


def _refused(error: TokenRefused, next_path: str) -> ResponseReturnValue:
    if error.by_user:
        return _message(
            403,
            "You are not logged in",
            f"Webex did not complete the login: {error}. Log in again.",
            next_path,
        )
    logger.error("Webex refuses this application's credentials: %s", error)
    return _message(
        502,
        "You are not logged in",
        f"Webex refuses this application's own credentials: {error}. Its operator has to check "
        "CLIENT_ID and CLIENT_SECRET.",
    )


def _message(
    status: int, title: str, text: str, next_path: str | None = None
) -> ResponseReturnValue:
    page = render_template(
        "login/message.html",
        title=title,
        text=text,
        again=url_for("login.start", next=next_path or url_for("realtime.index")),
    )
    return Response(page, status=status)


def _stop_runs(realtime: Realtime, user: str) -> None:
    """Ask all runs of `user` to stop; those of other servers are theirs to stop."""
    engine = realtime.engine
    before: str | None = None
    while True:
        runs, before = engine.list_runs(user, 200, Filter(states=IN_PROGRESS), before=before)
        for run in runs:
            try:
                engine.stop_run(user, run.id, force=False)
            except RealtimeError as error:
                logger.warning("%s was not stopped at logout: %s", run.id, error, extra=run.named)
        if before is None:
            return
