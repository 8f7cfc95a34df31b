"""The table of settings: name, default, unit, how text becomes a value, help.

``python -m app.settings`` prints it for docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.settingtypes import (
    choice,
    existing_folder,
    fernet_keys,
    folder,
    host_names,
    listen_address,
    number,
    printable,
    proxies,
    redis_url,
    sandbox_url,
    secret,
    url_path,
    web_url,
    whole_number,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `default` is text, as in the environment; empty text means the default.

    `parse` turns text into the value; it takes the folder that relative paths start from as well,
    and raises ValueError with what is expected.
    """

    name: str
    default: str
    unit: str
    parse: Callable[[str, Path], object]
    help: str
    example: str


SETTINGS = (
    Setting(
        "HOST",
        "127.0.0.1",
        "",
        listen_address,
        "Address to listen on. One that other machines reach needs a login (CLIENT_ID), or a "
        "reverse proxy (TRUSTED_PROXIES).",
        "0.0.0.0",
    ),
    Setting(
        "PORT",
        "5000",
        "",
        whole_number(0, 65535),
        "Port to listen on; 0 takes any that is free.",
        "8080",
    ),
    Setting(
        "REDIS_URL",
        "",
        "",
        redis_url,
        "Redis 6.2 or newer that keeps runs and output. Empty: an embedded one is started.",
        "redis://localhost:6379/0",
    ),
    Setting(
        "REDIS_PASSWORD",
        "",
        "",
        secret(8),
        "Password for REDIS_URL, when it is not in there.",
        "invented-password",
    ),
    Setting(
        "REDIS_DATA",
        "instance/redis",
        "",
        folder,
        "Folder for the data of the embedded Redis; it is created.",
        "/var/lib/flask-realtime",
    ),
    Setting(
        "JOBS_PATH",
        "",
        "",
        existing_folder,
        "Folder whose .py files hold more jobs (docs/jobs.md). Empty: none.",
        "jobs",
    ),
    Setting(
        "TRUSTED_HOSTS",
        "localhost,127.0.0.1,[::1]",
        "",
        host_names,
        "Host names that the server answers to, separated by commas, without ports.",
        "localhost,127.0.0.1,jobs.internal",
    ),
    Setting(
        "TRUSTED_PROXIES",
        "",
        "",
        proxies,
        "Reverse proxies in front: addresses, networks or host names, separated by commas. With "
        "any, their X-Forwarded headers are believed, and only they are answered.",
        "nginx,172.16.0.0/12",
    ),
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
    Setting(
        "MAX_RUNS",
        "20",
        "runs",
        whole_number(1, 1000),
        "Runs at the same time; a start beyond is refused.",
        "4",
    ),
    Setting(
        "STOP_GRACE_SECONDS",
        "10",
        "seconds",
        number(0, 3600),
        "Time that a job has to end after Stop, before the page offers to force it.",
        "2.5",
    ),
    Setting(
        "SHUTDOWN_SECONDS",
        "5",
        "seconds",
        number(0, 3600),
        "Time that runs have to end when the server is stopped; the rest become `lost`.",
        "60",
    ),
    Setting(
        "JOB_BUFFER_KIB",
        "4096",
        "KiB",
        whole_number(16, 1024 * 1024),
        "Output of a run that waits to be stored; when it is full, the job waits.",
        "1024",
    ),
    Setting(
        "OUTPUT_KEEP_MIB",
        "1024",
        "MiB",
        whole_number(1, 1024 * 1024),
        "Output of a run that is kept; older output than that shows as a gap.",
        "100",
    ),
    Setting(
        "VIEWER_WINDOW_KIB",
        "1024",
        "KiB",
        whole_number(16, 64 * 1024),
        "Output sent to a viewer that has not acknowledged it; a slow one waits for more.",
        "256",
    ),
    Setting(
        "MAX_EVENT_KIB",
        "1024",
        "KiB",
        whole_number(16, 64 * 1024),
        "Largest event or request that a client may send.",
        "128",
    ),
    Setting(
        "LOG_LEVEL",
        "info",
        "",
        choice("debug", "info", "warning", "error", "critical"),
        "Least severity of what the server itself logs on the console.",
        "debug",
    ),
)
