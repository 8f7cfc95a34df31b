"""The settings of the login: a part of the table in settingstable.py."""

from __future__ import annotations

from app.setting import Setting
from app.settingtypes import (
    choice,
    fernet_keys,
    folder,
    number,
    printable,
    sandbox_url,
    secret,
    secrets_of,
    url_path,
    web_url,
    whole_number,
)

LOGIN_SETTINGS = (
    Setting(
        "LOGIN",
        "webex",
        "",
        choice("webex", "none"),
        "`webex`: users log in with their Webex account, or at the sandbox while CLIENT_ID is "
        "empty. `none`: every visitor is the one local user.",
        "none",
    ),
    Setting(
        "CLIENT_ID",
        "",
        "",
        printable,
        "Client id of your Webex integration (docs/webex.md). Empty: the Webex sandbox, with "
        "invented data, is started and used.",
        "C0123456789abcdef",
    ),
    Setting(
        "CLIENT_SECRET",
        "",
        "",
        secret(8),
        "Client secret of your Webex integration.",
        "0123456789abcdef",
    ),
    Setting(
        "REDIRECT_URI",
        "http://localhost:5000/redirect",
        "",
        web_url,
        "Where Webex sends users back to, exactly as the integration has it; its path is "
        "/redirect, below the path of the application. The sandbox does not need it.",
        "https://jobs.internal/redirect",
    ),
    Setting(
        "SCOPE",
        "spark:all spark:kms",
        "",
        printable,
        "What the integration may do, as it has it, separated by spaces.",
        "spark:rooms_read spark:messages_read spark:kms",
    ),
    Setting(
        "WEBEX_AUTHORIZE_URL",
        "https://webexapis.com/v1/authorize",
        "",
        web_url,
        "Where users give their consent.",
        "https://webex.example/v1/authorize",
    ),
    Setting(
        "WEBEX_ACCESS_TOKEN_URL",
        "https://webexapis.com/v1/access_token",
        "",
        web_url,
        "Where tokens are got and renewed.",
        "https://webex.example/v1/access_token",
    ),
    Setting(
        "WEBEX_REVOKE_URL",
        "https://idbroker.webex.com/idb/oauth2/v1/revoke",
        "",
        web_url,
        "Where tokens are revoked when somebody logs out.",
        "https://webex.example/revoke",
    ),
    Setting(
        "WEBEX_API_BASE_URL",
        "https://webexapis.com/v1/",
        "",
        web_url,
        "The Webex API, with a slash at its end.",
        "https://webex.example/v1/",
    ),
    Setting(
        "LOGIN_HOURS",
        "168",
        "hours",
        number(0.01, 24 * 365),
        "How long a login lasts.",
        "12",
    ),
    Setting(
        "SECRET_KEY",
        "",
        "",
        secret(32),
        "Key that signs session cookies. Empty: one is made and kept in INSTANCE_PATH.",
        "invented-0123456789abcdef0123456789abcdef",
    ),
    Setting(
        "SECRET_KEY_FALLBACKS",
        "",
        "",
        secrets_of(32),
        "Keys that SECRET_KEY had before, separated by commas: cookies that they have signed still "
        "count (docs/operations.md).",
        "invented-fedcba9876543210fedcba9876543210",
    ),
    Setting(
        "TOKEN_KEYS",
        "",
        "",
        fernet_keys,
        "Fernet keys that encrypt tokens in Redis, separated by commas; the first one encrypts. "
        "Empty: one is made and kept in INSTANCE_PATH.",
        "aW52ZW50ZWQtaW52ZW50ZWQtaW52ZW50ZWQtaW52ZW4=",
    ),
    Setting(
        "INSTANCE_PATH",
        "instance",
        "",
        folder,
        "Folder for keys that are made; it is created.",
        "/var/lib/flask-realtime",
    ),
    Setting(
        "SANDBOX_URL",
        "",
        "",
        sandbox_url,
        "A Webex sandbox that runs already. Empty: while CLIENT_ID is empty, one is started.",
        "http://sandbox:5050",
    ),
    Setting(
        "SANDBOX_PATH",
        "",
        "",
        url_path,
        "Path on this server's address by which browsers reach SANDBOX_URL, through a reverse "
        "proxy. Empty: they reach it as the server does.",
        "/webex-sandbox",
    ),
    Setting(
        "SANDBOX_SPACES",
        "200",
        "spaces",
        whole_number(1, 100_000),
        "Spaces of each user of the Webex sandbox.",
        "20",
    ),
    Setting(
        "SANDBOX_MESSAGES",
        "1500",
        "messages",
        whole_number(0, 1_000_000),
        "Messages in each space of the Webex sandbox.",
        "100",
    ),
)
