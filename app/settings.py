"""Reads the settings of app/settingstable.py from the environment over files, all checked at once.

``python -m app.settings`` prints the table of docs/configuration.md.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from app.settingstable import SETTINGS
from app.settingtypes import host_of, is_loopback
from flask_realtime.errors import ConfigurationError
from flask_realtime.trust import normal_host

ROOT = Path(__file__).resolve().parent.parent
ENV_FILES = (".env", "webexintegration.env")


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of one program, checked. Paths are absolute; units are in the names."""

    host: str
    port: int
    async_mode: str
    server_cert: Path | str | None
    server_key: Path | None
    redirect_http: int | None
    hsts_seconds: int
    access_log: str
    redis_url: str
    redis_password: str = field(repr=False)
    redis_data: Path
    jobs_path: Path | None
    apps_file: Path | None
    trusted_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    login: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scope: str
    webex_authorize_url: str
    webex_access_token_url: str
    webex_revoke_url: str
    webex_api_base_url: str
    login_hours: float
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    token_keys: tuple[str, ...] = field(repr=False)
    instance_path: Path
    sandbox_url: str
    sandbox_path: str
    sandbox_spaces: int
    sandbox_messages: int
    max_runs: int
    max_queued: int
    max_runs_per_user: int
    run_timeout_seconds: float
    run_output_mib: float
    process_memory_mib: float
    terminal_columns: int
    terminal_rows: int
    max_upload_mib: float
    uploads_path: Path | None
    stop_grace_seconds: float
    shutdown_seconds: float
    drain_seconds: float
    job_buffer_kib: int
    executor: str
    broker_url: str = field(repr=False)
    max_queued_on_workers: int
    worker_alive_file: Path | None
    output_hot_mib: int
    output_hot_minutes: float
    archive_url: str
    keep_days: float
    keep_runs: int
    keep_output_gib: float
    viewer_window_kib: int
    max_event_kib: int
    log_level: str
    log_format: str
    metrics_token: str = field(repr=False)


def read_settings(environ: Mapping[str, str], *env_files: Path) -> Settings:
    """Read all settings: from `environ`, else from the first of `env_files` that has it.

    In `environ`, ``NAME_FILE`` names a file with the value of NAME, as container secrets come.
    A file may be missing. Relative paths start from the folder of the first one, or from the
    current one without it. Values in files are literal: nothing is interpolated, and `environ` is
    not changed.

    Raises ConfigurationError with one line for each fault of all of them.
    """
    faults: list[str] = []
    base = env_files[0].absolute().parent if env_files else Path.cwd()
    from_files: dict[str, str] = {}
    for env_file in env_files:
        if env_file.exists():
            found = {name: text for name, text in _read_file(env_file, faults).items() if text}
            from_files = found | from_files
    values: dict[str, object] = {}
    for setting in SETTINGS:
        try:
            text = _from_environ(environ, setting.name) or from_files.get(setting.name, "").strip()
            values[setting.name.lower()] = setting.parse(text or setting.default, base)
        except ValueError as error:
            faults.append(f"{setting.name}: {error}")
    faults += _conflicts(values)
    if faults:
        raise ConfigurationError(*faults)
    return Settings(**values)  # type: ignore[arg-type]  # a test holds table and class together


def settings_of(environ: dict[str, str]) -> Settings:
    """Read the settings. Raises ConfigurationError.

    ENV_FOLDER in `environ` names the folder of .env and webexintegration.env; the default is the
    project's.
    """
    folder = Path(environ.get("ENV_FOLDER") or ROOT)
    return read_settings(environ, *(folder / name for name in ENV_FILES))


def _conflicts(values: Mapping[str, Any]) -> list[str]:
    """What does not go together; a value that is wrong by itself is not among `values`."""
    faults = []
    if values.get("server_cert", "") is None:
        for name, unset in {"server_key": None, "redirect_http": None, "hsts_seconds": 0}.items():
            if values.get(name, unset) != unset:
                faults.append(f"{name.upper()}: is of no use without SERVER_CERT: set that as well")
    if values.get("log_format") == "json" and values.get("access_log") == "combined":
        faults.append("ACCESS_LOG: combined is no JSON: LOG_FORMAT=json goes with json or none")
    if "login" not in values or "client_id" not in values:
        return faults
    has_login = values["login"] == "webex" and values["client_id"] != ""
    if not (has_login or values.get("trusted_proxies")) and _is_reachable(values.get("host")):
        faults.append(_NO_LOGIN.format(values["host"]))
    if not has_login:
        return faults
    if values.get("client_secret") == "":
        faults.append(
            "CLIENT_SECRET: is missing, and CLIENT_ID needs it: copy it from your integration's "
            "page, or leave CLIENT_ID empty to use the sandbox"
        )
    if (uri := values.get("redirect_uri")) is not None:
        if values.get("server_cert") is not None and urlsplit(uri).scheme != "https":
            faults.append(
                f"REDIRECT_URI: {uri!r} is wrong: with SERVER_CERT, expected https: this server "
                "speaks nothing else there"
            )
        if not urlsplit(uri).path.endswith("/redirect"):
            faults.append(f"REDIRECT_URI: {uri!r} is wrong: its path must end with /redirect")
        if host_of(uri) not in map(normal_host, values.get("trusted_hosts", [host_of(uri)])):
            faults.append(
                f"REDIRECT_URI: {host_of(uri)} is not one of TRUSTED_HOSTS: add it there, or the "
                "server refuses those who come back from Webex"
            )
    if not (url := values.get("webex_api_base_url", "/")).endswith("/"):
        faults.append(f"WEBEX_API_BASE_URL: {url!r} must end with a slash")
    return faults


_NO_LOGIN = (
    "HOST: {!r} is wrong: expected 127.0.0.1, ::1 or localhost; other machines cannot be served, "
    "since neither a login (CLIENT_ID) nor a reverse proxy (TRUSTED_PROXIES) is configured, and "
    "each visitor could start jobs"
)


def _is_reachable(host: str | None) -> bool:
    return host is not None and not is_loopback(host)


def _from_environ(environ: Mapping[str, str], name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names."""
    text = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip()
    if not path:
        return text
    if text:
        raise ValueError(f"is set twice, also by {name}_FILE: unset one of them")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE={path} cannot be read as UTF-8 text: {error}") from error


def exit_misconfigured(error: ConfigurationError) -> NoReturn:
    """Print each line of `error` to stderr and end the program with exit code 2."""
    for line in error.lines:
        print(line, file=sys.stderr)
    raise SystemExit(2)


def _read_file(path: Path, faults: list[str]) -> dict[str, str]:
    names = [setting.name for setting in SETTINGS]
    found: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path}: cannot be read as UTF-8 text: {error}")
        return found
    for binding in bindings:
        place = f"{path}, line {binding.original.line}"
        if binding.error or (binding.key is not None and binding.value is None):
            wrong = binding.original.string.strip()[:60]
            faults.append(f"{place}: {wrong!r} is not of the form NAME=value")
        elif binding.key in names:
            found[binding.key] = binding.value or ""
        elif binding.key:
            # Names that resemble none of ours may belong to other programs that read the file.
            near = difflib.get_close_matches(binding.key.upper(), names, n=1, cutoff=0.75)
            if near:
                faults.append(
                    f"{place}: there is no setting {binding.key}: did you mean {near[0]}?"
                )
    return found


def as_markdown() -> str:
    """The table of settings, as docs/configuration.md holds it."""
    rows = ["| name | default | unit | meaning | example |", "|---|---|---|---|---|"]
    for each in SETTINGS:
        default = f"`{each.default}`" if each.default else "(empty)"
        rows.append(f"| `{each.name}` | {default} | {each.unit} | {each.help} | `{each.example}` |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
