"""Files for runs, over the API of a real server: whole, within bounds, and gone after the run."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.support.patience import eventually
from tests.support.server import Server

MIB = 1 << 20
BYTES = {"Content-Type": "application/octet-stream"}
MAX_MIB = 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, MAX_UPLOAD_MIB=str(MAX_MIB), MAX_RUNS="1") as running:
        yield running
    assert stored(running) == []


@pytest.fixture(autouse=True)
def clean(server: Server) -> Iterator[None]:
    """Each test uses up, or removes, what it uploads."""
    yield
    eventually(lambda: stored(server) == [])


def uploads(server: Server) -> Path:
    return server.folder / "instance" / "uploads"


def stored(server: Server) -> list[str]:
    """The names of all files below the folder, but for the locks."""
    found = [name for _, _, names in os.walk(uploads(server)) for name in names]
    return sorted(name for name in found if name != "lock")


def send(server: Server, data: Any, name: str = "a.bin", **options: Any) -> requests.Response:
    return requests.post(
        f"{server.url}/api/uploads",
        params={"name": name},
        data=data,
        **{"headers": BYTES, "timeout": 60, **options},
    )


def put(server: Server, data: Any, name: str = "a.bin") -> str:
    response = send(server, data, name)
    assert response.status_code == 201, response.text
    upload: str = response.json()["upload"]
    return upload


def drop(server: Server, upload: str) -> requests.Response:
    return requests.delete(f"{server.url}/api/uploads/{upload}", timeout=20)


def start(server: Server, **params: object) -> requests.Response:
    return server.post("/api/runs", {"job": "digest", "params": params})


def refused(response: requests.Response) -> tuple[int, str, str]:
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"], response.json()["detail"]


@pytest.mark.parametrize("job", ["digest", "digest_apart"])
def test_a_run_reads_the_file_which_is_gone_after_it(server: Server, job: str) -> None:
    data = os.urandom(3 * MIB + 17)
    response = send(server, data, "März 2026.csv")
    assert response.status_code == 201
    assert response.json() == {
        "upload": response.json()["upload"],
        "name": "März 2026.csv",
        "bytes": len(data),
    }
    run = server.start_run(job, file=response.json()["upload"])
    record = server.ended(run)
    assert record["state"] == "succeeded", server.output(run)
    assert record["params"]["file"] == {"name": "März 2026.csv", "bytes": len(data)}
    told = server.output(run).decode().strip()
    path = told.rpartition(f" {uploads(server)}")[2]
    assert told == (
        f"März 2026.csv {len(data)} {hashlib.sha256(data).hexdigest()} {uploads(server)}{path}"
    )
    eventually(lambda: stored(server) == [])


@pytest.mark.parametrize("data", [b"", b"x", b"x" * (256 << 10), b"x" * ((256 << 10) + 1)])
@pytest.mark.parametrize("chunked", [False, True])
def test_files_of_all_sizes_come_in_whole(server: Server, data: bytes, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    response = send(server, pieces() if chunked else data)
    assert (response.status_code, response.json()["bytes"]) == (201, len(data))
    run = server.start_run("digest", file=response.json()["upload"])
    server.ended(run)
    assert hashlib.sha256(data).hexdigest() in server.output(run).decode()


def test_a_large_file_takes_constant_memory(server: Server) -> None:
    put_and_drop = lambda data: drop(server, put(server, data))  # noqa: E731
    put_and_drop(b"x" * (4 * MIB))
    process = psutil.Process(server.pid)
    before = high_water(process)
    piece = os.urandom(MIB)
    assert put_and_drop(piece for _ in range(MAX_MIB)).status_code == 204
    assert high_water(process) - before < 16 * MIB


def high_water(process: psutil.Process) -> int:
    """The most memory, in bytes, that the process has ever had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


# What is refused


def test_a_file_that_says_that_it_is_too_large_is_not_read(server: Server) -> None:
    with socket.create_connection(("localhost", server.port), 10) as client:
        client.sendall(head(server, f"Content-Length: {MAX_MIB * MIB + 1}"))
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"upload_too_large"' in answer


def test_a_file_that_turns_out_too_large_leaves_nothing(server: Server) -> None:
    piece = b"x" * MIB
    with socket.create_connection(("localhost", server.port), 10) as client:
        client.sendall(head(server, "Transfer-Encoding: chunked"))
        for _ in range(MAX_MIB):
            client.sendall(b"100000\r\n" + piece + b"\r\n")
        eventually(lambda: stored(server) == ["a"])
        client.sendall(b"1\r\nx\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_file_of_the_largest_size_is_taken(server: Server) -> None:
    piece = b"x" * MIB
    assert drop(server, put(server, (piece for _ in range(MAX_MIB)))).status_code == 204
    assert drop(server, put(server, piece * MAX_MIB)).status_code == 204


def head(server: Server, *lines: str) -> bytes:
    own = (f"Host: localhost:{server.port}", "Content-Type: application/octet-stream")
    return "\r\n".join(("POST /api/uploads?name=a HTTP/1.1", *own, *lines, "", "")).encode()


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 1000000", b"x" * 300_000),
        ("Transfer-Encoding: chunked", b"493e0\r\n" + b"x" * 300_000 + b"\r\n"),
        ("Transfer-Encoding: chunked", b"fffff\r\n" + b"x" * 300_000),
        ("Transfer-Encoding: chunked", b"493e0\r\n" + b"x" * 300_000 + b"\r\nno size\r\n"),
    ],
    ids=["length", "between chunks", "in a chunk", "no chunk"],
)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_upload_that_is_cut_off_leaves_nothing(
    server: Server, framing: str, body: bytes, reset: bool
) -> None:
    with socket.create_connection(("localhost", server.port), 10) as client:
        client.sendall(head(server, framing) + body)
        if b"no size" not in body:
            eventually(lambda: stored(server) == ["a"])
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: stored(server) == [])
    assert server.get("/healthz").status_code == 200
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""],
)
def test_only_bytes_are_taken(server: Server, content_type: str) -> None:
    response = send(server, b"--x\r\n", headers={"Content-Type": content_type})
    status, _, detail = refused(response)
    assert (status, "application/octet-stream" in detail) == (415, True)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/api/uploads", 400, None),
        ("POST", "/api/uploads?name=", 400, None),
        ("GET", "/api/uploads", 405, "POST"),
        ("DELETE", "/api/uploads", 405, "POST"),
        ("GET", f"/api/uploads/{'f' * 32}", 405, "DELETE"),
        ("DELETE", f"/api/uploads/{'f' * 32}", 404, None),
        ("DELETE", "/api/uploads/%2e%2e", 404, None),
        ("DELETE", "/api/uploads/*", 404, None),
    ],
)
def test_other_calls_are_refused(
    server: Server, method: str, path: str, status: int, allow: str | None
) -> None:
    response = requests.request(method, server.url + path, headers=BYTES, timeout=20)
    assert refused(response)[0] == status
    assert response.headers.get("Allow") == allow


def test_a_request_of_another_origin_is_refused(server: Server) -> None:
    response = send(server, b"x", headers={**BYTES, "Origin": "https://elsewhere.example"})
    assert response.status_code == 403


def test_the_bounds_of_other_calls_are_as_before(server: Server) -> None:
    assert refused(server.post("/api/runs", {"job": "x" * (2 * MIB)}))[0] == 413


def test_forms_are_told_the_bound_of_the_server(server: Server) -> None:
    jobs = {job["name"]: job for job in server.get("/api/jobs").json()["jobs"]}
    properties = jobs["digest"]["parameters"]["properties"]
    assert properties["file"]["maxBytes"] == MAX_MIB * MIB
    assert properties["other"]["anyOf"][0]["maxBytes"] == 1048


# Starts


def test_an_upload_is_given_to_one_run(server: Server) -> None:
    upload = put(server, b"x")
    run = server.start_run("digest", file=upload, hold=True)
    status, code, detail = refused(start(server, file=upload))
    assert (status, code) == (422, "bad_parameters")
    assert f"file: run {run} has this upload" in detail
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)
    eventually(lambda: "there is no upload" in refused(start(server, file=upload))[2])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("f" * 32, "file: there is no upload"),
        ("/etc/passwd", "file must be the id of an upload"),
        ({"name": "a.bin", "bytes": 1}, "file must be the id of an upload"),
        (None, "file must be the id of an upload"),
    ],
)
def test_a_start_with_no_upload_is_refused(server: Server, value: object, said: str) -> None:
    status, code, detail = refused(start(server, file=value))
    assert (status, code) == (422, "bad_parameters")
    assert said in detail


def test_a_start_that_is_refused_leaves_its_files_for_the_next(server: Server) -> None:
    small, large = put(server, b"x"), put(server, b"x" * 2000)
    assert "'a.bin' has 2,000 bytes" in refused(start(server, file=small, other=large))[2]
    assert "for one parameter" in refused(start(server, file=small, other=small))[2]
    assert "hold must be" in refused(start(server, file=small, hold=3))[2]
    run = server.start_run("digest", file=large, other=small)
    record = server.ended(run)
    assert record["state"] == "succeeded"
    assert record["params"] == {
        "file": {"name": "a.bin", "bytes": 2000},
        "other": {"name": "a.bin", "bytes": 1},
        "hold": False,
    }


def test_a_run_in_line_keeps_its_file_until_it_has_ended(server: Server) -> None:
    first = server.start_run("digest", file=put(server, b"1"), hold=True)
    second = server.start_run("digest", file=put(server, b"2"))
    third = server.start_run("digest", file=put(server, b"3"))
    assert server.run_record(second)["state"] == "queued"
    assert stored(server).count("a.bin") == 3
    server.post(f"/api/runs/{third}/stop")
    eventually(lambda: stored(server).count("a.bin") == 2)
    server.post(f"/api/runs/{first}/stop")
    assert server.ended(second)["state"] == "succeeded"
    assert hashlib.sha256(b"2").hexdigest() in server.output(second).decode()


def test_a_deleted_upload_cannot_be_used(server: Server) -> None:
    upload = put(server, b"x")
    assert drop(server, upload).status_code == 204
    assert refused(drop(server, upload))[:2] == (404, "unknown_upload")
    assert "there is no upload" in refused(start(server, file=upload))[2]


def test_uploads_that_nobody_uses_are_bounded(server: Server) -> None:
    kept = [put(server, b"x") for _ in range(20)]
    assert refused(send(server, b"x"))[:2] == (429, "too_many_uploads")
    for upload in kept:
        drop(server, upload)
    drop(server, put(server, b"x"))


# The folder


def test_the_folder_can_be_another(
    tmp_path_factory: pytest.TempPathFactory, server: Server
) -> None:
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, UPLOADS_PATH=str(folder / "elsewhere")) as other:
        upload = put(other, b"x")
        assert [path.name for path in folder.glob(f"elsewhere/*/*{upload}/file/*")] == ["a.bin"]
    assert list(folder.glob("elsewhere/*")) == []


@pytest.mark.parametrize("end", [Server.stop, Server.kill], ids=["stopped", "killed"])
def test_a_file_goes_to_a_run_of_another_server(
    tmp_path_factory: pytest.TempPathFactory, server: Server, end: Callable[[Server], None]
) -> None:
    with Server(
        tmp_path_factory.mktemp("server"), INSTANCE_PATH=str(server.folder / "instance")
    ) as other:
        upload = put(other, b"x")
        run = server.start_run("digest", file=upload, hold=True)
        put(other, b"x", "unused")
        end(other)
    assert b"a.bin" in eventually(lambda: server.output(run))
    assert stored(server).count("a.bin") == 1
    server.post(f"/api/runs/{run}/stop")
    assert server.ended(run)["state"] == "stopped"
    if end is Server.kill:  # a server that starts removes what the one that died has left
        with Server(
            tmp_path_factory.mktemp("server"), INSTANCE_PATH=str(server.folder / "instance")
        ):
            eventually(lambda: stored(server) == [])


# The end of the server


@pytest.mark.parametrize("job", ["digest", "digest_apart"])
@pytest.mark.parametrize("end", [Server.stop, Server.kill], ids=["stopped", "killed"])
def test_nothing_is_left_when_the_server_has_ended_and_begins_again(
    own_server: Server, job: str, end: Callable[[Server], None]
) -> None:
    run = own_server.start_run(job, file=put(own_server, b"x", "used"), hold=True)
    eventually(lambda: b"used" in own_server.output(run))
    put(own_server, b"x", "unused")
    with socket.create_connection(("localhost", own_server.port), 10) as client:
        client.sendall(head(own_server, "Content-Length: 1000000") + b"x" * 300_000)
        eventually(lambda: set(stored(own_server)) == {"a", "about.json", "unused", "used"})
        end(own_server)
    own_server.start()
    eventually(lambda: list(uploads(own_server).glob("*")) == [])
