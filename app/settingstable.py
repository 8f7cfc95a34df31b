"""The table of settings: name, default, unit, how text becomes a value, help.

``python -m app.settings`` prints it for docs/configuration.md.
"""

from __future__ import annotations

from app.loginsettings import LOGIN_SETTINGS
from app.runsettings import RUN_SETTINGS
from app.setting import Setting
from app.settingtypes import (
    archive_url,
    certificate,
    choice,
    existing_file,
    existing_folder,
    folder,
    host_names,
    listen_address,
    number,
    optional_port,
    proxies,
    redis_url,
    secret,
    whole_number,
)
from app.workersettings import WORKER_SETTINGS
from flask_realtime.host.choice import DEFAULT, IMPLEMENTATIONS

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
    # Not TLS_CERTIFICATE and TLS_KEY: those are nginx's, in the same .env (docs/docker.md).
    Setting(
        "ASYNC_MODE",
        DEFAULT,
        "",
        choice(*IMPLEMENTATIONS),
        "What the server runs on: greenlets of one thread (eventlet), or plain threads that take "
        "turns (docs/server.md).",
        "threading",
    ),
    Setting(
        "SERVER_CERT",
        "",
        "",
        certificate,
        "TLS certificate with its chain, a PEM file: https is spoken. `adhoc` makes one up, for "
        "development. Empty: http.",
        "adhoc",
    ),
    Setting(
        "SERVER_KEY",
        "",
        "",
        existing_file,
        "Private key of SERVER_CERT, where it is not in the same file.",
        "instance/privkey.pem",
    ),
    Setting(
        "REDIRECT_HTTP",
        "",
        "",
        optional_port,
        "Port whose http requests are sent to https. Empty: none.",
        "80",
    ),
    Setting(
        "HSTS_SECONDS",
        "0",
        "seconds",
        whole_number(0, 63_072_000),
        "Time for which browsers that were here by https stay with it; 0 does not ask for it.",
        "31536000",
    ),
    Setting(
        "ACCESS_LOG",
        "none",
        "",
        choice("none", "combined", "json"),
        "Format of the log of requests, on stdout (docs/server.md).",
        "combined",
    ),
    Setting(
        "REDIS_URL",
        "",
        "",
        redis_url,
        "Redis 6.2 or newer that keeps runs and output (docs/redis.md). Empty: an embedded one.",
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
        "Folder whose Python files and executables are more jobs (docs/jobs.md). Empty: none.",
        "jobs",
    ),
    Setting(
        "APPS_FILE",
        "",
        "",
        existing_file,
        "TOML file that names other app servers to serve here (docs/embedding.md). Empty: none.",
        "examples/apps.toml",
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
    *LOGIN_SETTINGS,
    *RUN_SETTINGS,
    *WORKER_SETTINGS,
    Setting(
        "OUTPUT_HOT_MIB",
        "16",
        "MiB",
        whole_number(1, 64 * 1024),
        "Output of a run that Redis holds while it goes on; what is older goes to the archive. Up "
        "to twice as much while the archive cannot be used, then the job waits.",
        "64",
    ),
    Setting(
        "OUTPUT_HOT_MINUTES",
        "10",
        "minutes",
        number(0, 525_600),
        "Time after the end of a run before all of its output goes to the archive.",
        "60",
    ),
    Setting(
        "ARCHIVE_URL",
        "",
        "",
        archive_url,
        "Where older output goes: any address that fsspec knows ([archive.md](archive.md)). "
        "Several servers over one Redis share it. Empty: the folder `archive` in INSTANCE_PATH.",
        "s3://flask-realtime/archive",
    ),
    Setting(
        "KEEP_DAYS",
        "90",
        "days",
        number(0, 100_000),
        "Time after the end of a run before it is removed (docs/retention.md). 0: never.",
        "30",
    ),
    Setting(
        "KEEP_RUNS",
        "100000",
        "runs",
        whole_number(0, 10_000_000),
        "Ended runs that are kept; the oldest beyond are removed. 0: all.",
        "5000",
    ),
    Setting(
        "KEEP_OUTPUT_GIB",
        "50",
        "GiB",
        number(0, 1_000_000),
        "Output that is kept, as it is stored; beyond, that of the oldest ended runs is removed,"
        " and shows as a gap. 0: all.",
        "2.5",
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
    Setting(
        "LOG_FORMAT",
        "text",
        "",
        choice("text", "json"),
        "Form of that log, on stderr: `json` is one object a line (docs/operations.md).",
        "json",
    ),
    Setting(
        "METRICS_TOKEN",
        "",
        "",
        secret(16),
        "Bearer token for /metrics (docs/operations.md). Empty: there is no such page.",
        "invented-0123456789abcdef",
    ),
)
