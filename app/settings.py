"""All that can be configured: one table, read from the environment over .env, checked at once.

``python -m app.settings`` prints the table of docs/configuration.md.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dotenv.parser import parse_stream

from app.settingtypes import (
    choice,
    existing_folder,
    folder,
    host_names,
    loopback,
    number,
    redis_url,
    whole_number,
)
from flask_realtime.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of one program, checked. Paths are absolute; units are in the names."""

    host: str
    port: int
    redis_url: str
    redis_data: Path
    jobs_path: Path | None
    trusted_hosts: tuple[str, ...]
    max_runs: int
    stop_grace_seconds: float
    job_buffer_kib: int
    output_keep_mib: int
    viewer_window_kib: int
    max_event_kib: int
    log_level: str


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
        loopback,
        "Address to listen on. Only this machine's own (loopback): no login is configured.",
        "::1",
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


def read_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read all settings: from `environ`, else from `env_file` (it may be missing), else defaults.

    Relative paths start from the folder of `env_file`, or from the current one without it. Values
    in the file are literal: nothing is interpolated, and `environ` is not changed.

    Raises ConfigurationError with one line for each fault of all of them.
    """
    faults: list[str] = []
    base = env_file.absolute().parent if env_file else Path.cwd()
    from_file = _read_file(env_file, faults) if env_file and env_file.exists() else {}
    values: dict[str, object] = {}
    for setting in SETTINGS:
        text = environ.get(setting.name, "").strip() or from_file.get(setting.name, "").strip()
        try:
            values[setting.name.lower()] = setting.parse(text or setting.default, base)
        except ValueError as error:
            faults.append(f"{setting.name}: {error}")
    if faults:
        raise ConfigurationError(*faults)
    return Settings(**values)  # type: ignore[arg-type]  # a test holds table and class together


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
