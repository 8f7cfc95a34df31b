"""Settings: one table, read from the environment over a file, checked at once."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import (
    SETTINGS,
    Settings,
    as_markdown,
    exit_misconfigured,
    read_settings,
)
from flask_realtime.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


def faults(environ: dict[str, str], env_file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ, *([env_file] if env_file else []))
    return caught.value.lines


def test_without_any_value_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path / ".env") == Settings(
        host="127.0.0.1",
        port=5000,
        async_mode="eventlet",
        server_cert=None,
        server_key=None,
        redirect_http=None,
        hsts_seconds=0,
        access_log="none",
        redis_url="",
        redis_password="",
        redis_data=tmp_path / "instance" / "redis",
        jobs_path=None,
        apps_file=None,
        trusted_hosts=("localhost", "127.0.0.1", "[::1]"),
        trusted_proxies=(),
        login="webex",
        client_id="",
        client_secret="",
        redirect_uri="http://localhost:5000/redirect",
        scope="spark:all spark:kms",
        webex_authorize_url="https://webexapis.com/v1/authorize",
        webex_access_token_url="https://webexapis.com/v1/access_token",
        webex_revoke_url="https://idbroker.webex.com/idb/oauth2/v1/revoke",
        webex_api_base_url="https://webexapis.com/v1/",
        login_hours=168.0,
        secret_key="",
        secret_key_fallbacks=(),
        token_keys=(),
        instance_path=tmp_path / "instance",
        sandbox_url="",
        sandbox_path="",
        sandbox_spaces=200,
        sandbox_messages=1500,
        max_runs=20,
        max_queued=100,
        max_runs_per_user=0,
        run_timeout_seconds=0,
        run_output_mib=0,
        process_memory_mib=0,
        terminal_columns=120,
        terminal_rows=30,
        max_upload_mib=100,
        uploads_path=None,
        stop_grace_seconds=10.0,
        shutdown_seconds=5.0,
        drain_seconds=0.0,
        job_buffer_kib=4096,
        executor="thread",
        broker_url="",
        max_queued_on_workers=10_000,
        worker_alive_file=None,
        output_hot_mib=16,
        output_hot_minutes=10.0,
        archive_url="",
        keep_days=90.0,
        keep_runs=100_000,
        keep_output_gib=50.0,
        viewer_window_kib=1024,
        max_event_kib=1024,
        log_level="info",
        log_format="text",
        metrics_token="",
    )


def test_table_and_class_have_the_same_names_in_the_same_order() -> None:
    fields = [field.name.upper() for field in dataclasses.fields(Settings)]
    assert [setting.name for setting in SETTINGS] == fields


def test_each_example_is_a_good_value_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "apps.toml").touch()
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "privkey.pem").touch()
    integration = {
        "SERVER_CERT": "adhoc",
        "REDIRECT_URI": "https://localhost/redirect",
        "CLIENT_ID": "invented",
        "CLIENT_SECRET": "invented-secret",
        "TRUSTED_HOSTS": "localhost,jobs.internal",
    }
    for setting in SETTINGS:
        environ = integration | {setting.name: setting.example}
        found = read_settings(environ, tmp_path / ".env")
        assert getattr(found, setting.name.lower()) != setting.default


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    tmp_path: Path,
) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1000\nMAX_RUNS=7\nexport LOG_LEVEL='debug' # loud\n\n# PORT=1\nHOST=\n")
    before = dict(os.environ)
    found = read_settings({"PORT": "2000", "MAX_RUNS": "", "HOME": "/x"}, file)
    assert (found.port, found.max_runs, found.log_level) == (2000, 7, "debug")
    assert found.host == "127.0.0.1"
    assert dict(os.environ) == before


def test_values_of_the_file_are_literal(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfREDIS_URL=redis://:pa${HOME}ss@host/0\r\nPORT=1\r\n")
    found = read_settings({}, file)
    assert found.redis_url == "redis://:pa${HOME}ss@host/0"
    assert found.port == 1


def test_relative_folders_start_from_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / "jobs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    found = read_settings({"JOBS_PATH": "jobs"}, Path("project/.env"))
    assert found.jobs_path == tmp_path / "project" / "jobs"
    assert found.redis_data == tmp_path / "project" / "instance" / "redis"
    assert read_settings({"REDIS_DATA": "x"}).redis_data == tmp_path / "x"
    assert read_settings({"REDIS_DATA": "/a/b"}).redis_data == Path("/a/b")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HOST", "0.0.0.0", "neither a login"),
        ("HOST", "::", "neither a login"),
        ("TRUSTED_PROXIES", "172.16.0.0/99", "an address, a network such as"),
        ("TRUSTED_PROXIES", "10.1", "an address, a network such as"),
        ("SANDBOX_URL", "sandbox:5050", "an address without a path"),
        ("SANDBOX_PATH", "webex/", "a path such as /webex-sandbox"),
        ("SHUTDOWN_SECONDS", "x", "a number from 0 to 3600"),
        ("HOST", "example.com", "an address such as 127.0.0.1"),
        ("LOGIN", "google", "one of webex, none"),
        ("LOGIN_HOURS", "0", "a number from 0.01 to 8760"),
        ("REDIRECT_URI", "localhost:5000/redirect", "an address such as https://"),
        ("REDIRECT_URI", "http://webex.example/redirect", "https: secrets go there"),
        ("WEBEX_ACCESS_TOKEN_URL", "https://me@webex.example/", "an address such as https://"),
        ("WEBEX_API_BASE_URL", "https://webex.example/v1/?x", "without a query"),
        ("WEBEX_REVOKE_URL", "https://[", "an address such as https://"),
        ("SCOPE", "spark:all\nspark:kms", "text without control characters"),
        ("SANDBOX_SPACES", "0", "a whole number from 1 to 100000"),
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "5_000", "a whole number from 0 to 65535"),
        ("PORT", "٥", "a whole number from 0 to 65535"),
        ("PORT", "9" * 5000, "a whole number from 0 to 65535"),
        ("SERVER_CERT", "/absent.pem", "an existing file, and /absent.pem is not there"),
        ("SERVER_CERT", "/etc", "an existing file, and /etc is a folder"),
        ("SERVER_KEY", "/absent.pem", "an existing file, and /absent.pem is not there"),
        ("REDIRECT_HTTP", "65536", "a port from 0 to 65535, or nothing"),
        ("REDIRECT_HTTP", "http", "a port from 0 to 65535, or nothing"),
        ("HSTS_SECONDS", "a year", "a whole number from 0 to 63072000"),
        ("ACCESS_LOG", "yes", "one of none, combined, json"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("REDIS_URL", "http://[", "redis://"),
        ("REDIS_DATA", "/etc/passwd", "a folder, and /etc/passwd is a file"),
        ("JOBS_PATH", "/absent", "an existing folder, and /absent is not there"),
        ("JOBS_PATH", "/etc/passwd", "an existing folder, and /etc/passwd is a file"),
        ("JOBS_PATH", "~nobody-of-this-name/x", "a folder that can be looked at"),
        ("REDIS_DATA", "x" * 5000, "a folder that can be looked at"),
        ("APPS_FILE", "/absent.toml", "an existing file, and /absent.toml is not there"),
        ("TRUSTED_HOSTS", "*", "names or addresses without ports"),
        ("TRUSTED_HOSTS", "localhost:5000", "names or addresses without ports"),
        ("TRUSTED_HOSTS", ",", "at least one host name"),
        ("MAX_RUNS", "0", "a whole number from 1 to 1000"),
        ("STOP_GRACE_SECONDS", "soon", "a number from 0 to 3600"),
        ("STOP_GRACE_SECONDS", "nan", "a number from 0 to 3600"),
        ("STOP_GRACE_SECONDS", "-1", "a number from 0 to 3600"),
        ("JOB_BUFFER_KIB", "1", "a whole number from 16 to 1048576"),
        ("OUTPUT_HOT_MIB", "1.5", "a whole number from 1 to 65536"),
        ("OUTPUT_HOT_MINUTES", "-1", "a number from 0 to 525600"),
        ("ARCHIVE_URL", "/var/lib/archive", "an address that fsspec knows"),
        ("ARCHIVE_URL", "nowhere://archive", "an address that fsspec knows"),
        ("VIEWER_WINDOW_KIB", "0", "a whole number from 16 to 65536"),
        ("MAX_EVENT_KIB", "x", "a whole number from 16 to 65536"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error, critical"),
    ],
)
def test_a_wrong_value_is_one_line_with_name_value_and_what_is_expected(
    name: str, value: str, expected: str
) -> None:
    (line,) = faults({name: value})
    assert line.startswith(f"{name}: ")
    assert repr(value)[:90] in line or len(value) > 100
    assert expected in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "name", ["CLIENT_SECRET", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_KEYS", "REDIS_PASSWORD"]
)
def test_a_wrong_secret_is_not_shown(name: str) -> None:
    (line,) = faults({name: "hush"})
    assert line.startswith(f"{name}: is wrong (it is not shown): expected")
    assert "hush" not in line


INTEGRATION = {"CLIENT_ID": "invented", "CLIENT_SECRET": "invented-secret"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CLIENT_SECRET": ""}, "CLIENT_SECRET: is missing, and CLIENT_ID needs it"),
        ({"REDIRECT_URI": "http://localhost:5000/back"}, "its path must end with /redirect"),
        ({"REDIRECT_URI": "https://jobs.example/redirect"}, "is not one of TRUSTED_HOSTS"),
        ({"WEBEX_API_BASE_URL": "https://webex.example/v1"}, "must end with a slash"),
        ({"SERVER_KEY": __file__}, "SERVER_KEY: is of no use without SERVER_CERT"),
        ({"REDIRECT_HTTP": "0"}, "REDIRECT_HTTP: is of no use without SERVER_CERT"),
        ({"HSTS_SECONDS": "60"}, "HSTS_SECONDS: is of no use without SERVER_CERT"),
        ({"SERVER_CERT": "adhoc"}, "REDIRECT_URI: 'http://localhost:5000/redirect' is wrong: with"),
        ({"HOST": "0.0.0.0", "LOGIN": "none"}, "neither a login"),
        ({"HOST": "0.0.0.0", "CLIENT_ID": ""}, "neither a login"),
    ],
)
def test_what_does_not_go_together_is_told(environ: dict[str, str], expected: str) -> None:
    (line,) = faults(INTEGRATION | environ)
    assert expected in line


def test_what_docker_reads_in_the_same_file_is_no_setting(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TLS_CERTIFICATE=/a.pem\nTLS_KEY=/b.key\nHTTP_PORT=80\nHTTPS_PORT=443\n")
    found = read_settings({}, file)
    assert (found.server_cert, found.server_key, found.redirect_http) == (None, None, None)


def test_a_certificate_is_a_file_or_made_up(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").touch()
    found = read_settings({"SERVER_CERT": "cert.pem", "SERVER_KEY": ""}, tmp_path / ".env")
    assert found.server_cert == tmp_path / "cert.pem"
    assert read_settings({"SERVER_CERT": "adhoc", "REDIRECT_HTTP": "0"}).redirect_http == 0


def test_with_a_login_or_a_proxy_other_machines_can_be_served() -> None:
    assert read_settings(INTEGRATION | {"HOST": "0.0.0.0"}).host == "0.0.0.0"
    found = read_settings({"HOST": "0.0.0.0", "TRUSTED_PROXIES": "nginx, 10.0.0.0/8"})
    assert found.trusted_proxies == ("nginx", "10.0.0.0/8")


def test_a_value_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("invented-secret\n")
    environ = {"CLIENT_ID": "invented", "CLIENT_SECRET_FILE": str(secret)}
    assert read_settings(environ).client_secret == "invented-secret"
    (line,) = faults({**environ, "CLIENT_SECRET": "another-secret"})
    assert line == "CLIENT_SECRET: is set twice, also by CLIENT_SECRET_FILE: unset one of them"
    (line,) = faults({"PORT_FILE": str(tmp_path / "absent")})
    assert line.startswith("PORT: PORT_FILE=")
    assert "cannot be read" in line


def test_the_integrations_file_comes_after_the_other_one(tmp_path: Path) -> None:
    first, second = tmp_path / ".env", tmp_path / "webexintegration.env"
    first.write_text("CLIENT_ID=first\nSCOPE=\n")
    second.write_text("CLIENT_ID=second\nCLIENT_SECRET=invented-secret\nSCOPE=spark:all\n")
    found = read_settings({}, first, second)
    assert (found.client_id, found.client_secret) == ("first", "invented-secret")
    assert found.scope == "spark:all"
    assert "invented-secret" not in repr(found)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=x\n???\nMAX_RUN=3\nMAX_RUNS\n'\n")
    lines = faults({"LOG_LEVEL": "loud", "HOST": "example.com"}, file)
    assert lines[0] == f"{file}, line 2: '???' is not of the form NAME=value"
    assert lines[1] == f"{file}, line 3: there is no setting MAX_RUN: did you mean MAX_RUNS?"
    assert lines[2] == f"{file}, line 4: 'MAX_RUNS' is not of the form NAME=value"
    assert lines[3] == f'{file}, line 5: "\'" is not of the form NAME=value'
    assert [line.split(":")[0] for line in lines[4:]] == ["HOST", "PORT", "LOG_LEVEL"]


def test_names_of_other_programs_in_the_file_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("COMPOSE_PROJECT_NAME=x\nFLASK_DEBUG=1\nMY_CLIENT=abc\nEMPTY=\n")
    assert read_settings({}, file).port == 5000


@pytest.mark.parametrize("name", ["PROT", "port", "REDIS_URI", "JOB_PATH", "TRUSTED_HOST"])
def test_a_slip_in_a_name_of_the_file_is_pointed_out(tmp_path: Path, name: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"{name}=5\n")
    (line,) = faults({}, file)
    assert f"there is no setting {name}: did you mean" in line


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"PORT=\xff\n")
    (line,) = faults({}, file)
    assert "cannot be read as UTF-8 text" in line
    (line,) = faults({}, tmp_path)
    assert "cannot be read" in line


def test_the_password_of_a_wrong_url_is_not_shown() -> None:
    (line,) = faults({"REDIS_URL": "rdis://me:secret@host/0"})
    assert "secret" not in line
    assert "rdis://me:***@host/0" in line


def test_loopback_addresses_are_accepted_with_and_without_brackets() -> None:
    for text, host in [("[::1]", "::1"), ("127.0.0.9", "127.0.0.9"), ("localhost", "localhost")]:
        assert read_settings({"HOST": text}).host == host


def test_faults_go_to_stderr_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        exit_misconfigured(ConfigurationError("one", "two"))
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "one\ntwo\n")


def test_a_log_in_json_has_no_lines_of_another_form() -> None:
    (line,) = faults({"LOG_FORMAT": "json", "ACCESS_LOG": "combined"})
    assert line.startswith("ACCESS_LOG: combined is no JSON")
    assert read_settings({"LOG_FORMAT": "json", "ACCESS_LOG": "json"}).log_format == "json"


def test_the_documented_table_is_the_table_of_settings() -> None:
    documented = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [line for line in documented.splitlines() if line.startswith("|")]
    assert rows == as_markdown().splitlines()


def test_the_module_prints_the_table() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "app.settings"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == as_markdown()
