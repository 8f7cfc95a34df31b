"""Files that are missing, odd or read-only, a port that is taken, data of an older Redis."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.containers.stack import Stack
from tests.support.patience import eventually

FILLED = """# An integration
CLIENT_ID{eq}{q}C0invented0integration{q}{blank}
CLIENT_SECRET={q}invented-0123456789{q}{blank}
REDIRECT_URI={q}http://localhost:{port}/redirect{q}{blank}
SCOPE={q}spark:all spark:kms{q}{blank}
"""
ORDERS = [("up", "-d"), ("restart", "flask"), ("restart", "flask", "sandbox")]
KEPT = ("redis-cli", "get", "kept")
# Around the sign, around a value, after it, at the end of a line.
FORMS = [("=", "", "", "\n"), (" = ", '"', "  ", "\n"), ("=", "'", "", "\r\n")]


def expect_no_redis(stack: Stack, said: str) -> None:
    """Up, Redis ends and its log says why; flask is not there, or has ended and says why.

    What `up` returns is another matter: version 1 takes a Redis that has ended by the time it looks
    for a healthy one, returns 0 and starts flask all the same, which then ends with its own words.
    """
    done = stack.run("up", "-d")
    eventually(lambda: said in stack.log("redis"))
    # A host without a name server takes its time to say that there is no name `redis`.
    eventually(lambda: not any(stack.is_running(each) for each in ("redis", "flask")), 180)
    assert done.returncode != 0 or "there is no Redis at redis://redis:6379" in stack.log("flask")
    assert stack.status("/readyz") != 200


def test_an_integration_is_used_instead_of_the_sandbox(clone: Path) -> None:
    """However its file is written, and though the clone may be read by its owner alone."""
    for path in (clone, *clone.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if os.geteuid() == 0:
            os.chown(path, 12345, 12345)  # root in a container without capabilities is not this one
    with Stack(clone) as stack:
        file = clone / "webexintegration.env"
        for order, (eq, q, blank, newline) in zip(ORDERS, FORMS, strict=True):
            text = FILLED.format(port=stack.port, eq=eq, q=q, blank=blank)
            file.write_bytes(text.replace("\n", newline).encode())
            file.chmod(0o600)
            stack.compose(*order)
            stack.wait_ready()
            there = urlsplit(stack.get("/login").headers["Location"])
            asked = parse_qs(there.query)
            assert there.netloc == "webexapis.com"
            assert asked["client_id"] == ["C0invented0integration"]
            assert asked["scope"] == ["spark:all spark:kms"]
        (sandbox,) = eventually(
            lambda: [each for each in stack.inspect("sandbox") if not each["State"]["Running"]]
        )
        assert sandbox["State"]["ExitCode"] == 0
        assert "No Webex sandbox is needed" in stack.log("sandbox")
        assert stack.status("/webex-sandbox/") == 503


def test_an_empty_file_is_the_sandbox(clone: Path) -> None:
    (clone / "webexintegration.env").write_text("")
    with Stack(clone) as stack:
        stack.up()
        assert stack.get("/login").headers["Location"].startswith("/webex-sandbox/")


def test_a_folder_in_the_place_of_the_file_is_one_clear_line(clone: Path) -> None:
    """Docker makes one of a file that is to be mapped in and is not there."""
    (clone / "webexintegration.env").mkdir()
    with Stack(clone) as stack:
        stack.compose("up", "-d")
        eventually(
            lambda: "webexintegration.env: is a folder on the host" in stack.log("flask"), 20
        )


def test_wrong_settings_are_one_clear_line_each(clone: Path) -> None:
    (clone / ".env").write_text("MAX_RUNS=many\nLOGIN=perhaps\n")
    with Stack(clone, UPLOAD_LIMIT="much") as stack:
        stack.compose("up", "-d")
        eventually(lambda: "MAX_RUNS: 'many' is wrong" in stack.log("flask"))
        assert "LOGIN: 'perhaps' is wrong" in stack.log("flask")
        assert "UPLOAD_LIMIT: 'much' is wrong" in stack.log("nginx")
        assert "Traceback" not in stack.log()


def test_a_port_that_is_taken_is_named(clone: Path) -> None:
    with Stack(clone) as stack, socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.port))
        taken.listen()
        failed = stack.run("up", "-d")
        assert failed.returncode != 0
        assert str(stack.port) in failed.stdout
        assert "in use" in failed.stdout or "already allocated" in failed.stdout


def test_data_that_cannot_be_written_are_one_clear_line(clone: Path) -> None:
    """A folder on a read-only file system: what root cannot write either."""
    (clone / "override.yml").write_text("services: {redis: {volumes: ['./redis_data:/data:ro']}}\n")
    with Stack(clone) as stack:
        stack.files.append("override.yml")
        expect_no_redis(stack, "./redis_data cannot be written")


@pytest.mark.parametrize("form", ["append-only file of Redis 6", "snapshot of Redis 5"])
def test_data_of_an_older_redis_are_taken_over(clone: Path, form: str) -> None:
    data = clone / "redis_data"
    data.mkdir()
    if form.startswith("append"):
        command = (b"SET", b"kept", b"since Redis 6")
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)
        (data / "appendonly.aof").write_bytes(b"*3\r\n" + parts)
    else:
        # Version 9 of the format: database 0, one string, the end, a checksum that is not used.
        pair = b"\x00\x04kept\x0dsince Redis 5"
        (data / "dump.rdb").write_bytes(b"REDIS0009\xfe\x00" + pair + b"\xff" + bytes(8))
    with Stack(clone) as stack:
        for order in (["up", "-d", "redis"], ["restart", "redis"]):
            stack.compose(*order)
            eventually(lambda: "since" in stack.run("exec", "-T", "redis", *KEPT).stdout)


def test_data_of_a_newer_redis_are_one_clear_line(clone: Path) -> None:
    (clone / "redis_data").mkdir()
    (clone / "redis_data" / "dump.rdb").write_bytes(b"REDIS0099\xff" + bytes(8))
    with Stack(clone) as stack:
        expect_no_redis(stack, "dump.rdb cannot be read")
        assert "A newer Redis may have written it" in stack.log("redis")
        assert "format version 99" in stack.log("redis")
