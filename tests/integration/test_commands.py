"""Commands on the real server: what a program gets, what comes of it, and the examples."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.socketclient import ordered_client

JOBS = ROOT / "tests" / "programs" / "commandjobs"
# What a shell, an argument parser, printf or a terminal might make something of.
TRICKY = [
    "",
    " ",
    "a  b",
    "$(touch /tmp/x) `id` $HOME ${PATH} ~",
    "; rm -rf / & | > <",
    "'single' \"double\" \\back\\slash\\n",
    "*?[a-z]{a,b}",
    "{b} {{c}} %s %(a)s",
    "-rf",
    "--",
    "--flag",
    "=",
    "é 世界 🙂 \u200b\u202e",
    "#!/bin/sh",
    "x" * 50_000,
]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {"TEST_SEEN_1": "seen", "TEST_UNSEEN": "hidden", "JOBS_PATH": str(JOBS)}
    with Server(tmp_path_factory.mktemp("server"), **environ) as running:
        yield running


def finished(server: Server, job: str, **params: object) -> dict[str, Any]:
    return server.ended(server.start_run(job, **params))


def told(server: Server, **params: object) -> dict[str, Any]:
    record = finished(server, "tells", **params)
    output = server.output(record["id"])
    assert record["state"] == "succeeded", output
    answer: dict[str, Any] = json.loads(output)
    return answer


def as_bytes(text: str) -> str:
    return text.encode().decode("latin-1")


def test_arguments_arrive_byte_for_byte(commands: Server) -> None:
    program = str(JOBS / "tells.py")
    items = [each for each in TRICKY if len(each) < 1000]
    for value in items:
        argv = told(commands, a=value, b=value, c=items, flag=True, d="x\ny")["argv"]
        assert argv == [
            *(program, f"--a={as_bytes(value)}", "--", as_bytes(value)),
            *(*map(as_bytes, items), "--flag", "x\ny"),
        ]
    argv = told(commands, a="", b=TRICKY[-1])["argv"]
    assert argv == [program, "--a=", "--", TRICKY[-1], "-x\ny\t"]


def test_a_command_runs_where_and_with_what_it_says(commands: Server) -> None:
    answer = told(commands, a="-a b", b="")
    assert answer["cwd"] == str(JOBS.parent)
    assert answer["terminal"] == [True, True, True]
    environ = answer["environ"]
    assert (environ["TOLD"], environ["PLAIN"]) == ("-a b", "{x}")
    assert environ["TEST_SEEN_1"] == "seen"
    assert not {"TEST_UNSEEN", "JOBS_PATH", "REDIS_DATA", "INSTANCE_PATH"} & environ.keys()


def test_without_a_terminal_stdout_and_stderr_stay_apart(commands: Server) -> None:
    run = finished(commands, "apart")["id"]
    client = ordered_client()
    pieces: list[tuple[int, bytes]] = []
    client.on("output", lambda event: pieces.append((event["stream"], event["data"])))
    client.connect(commands.url, transports=["websocket"])
    try:
        client.call("attach", {"run": run, "offset": 0}, timeout=20)
        whole = commands.output(run)
        eventually(lambda: sum(len(data) for _, data in pieces) == len(whole))
    finally:
        client.disconnect()
    streams = {
        number: b"".join(data for stream, data in pieces if stream == number) for number in (1, 2)
    }
    assert streams == {1: b"to stdout\nmore to stdout\n", 2: b"to stderr\n"}


@pytest.mark.parametrize(
    ("how", "what", "state", "code", "reason"),
    [
        ("exit", "0", "succeeded", 0, "finished"),
        ("exit", "3", "failed", 3, "exited with code 3"),
        ("exit", "255", "failed", 255, "exited with code 255"),
        ("signal", "SEGV", "failed", 139, "SIGSEGV"),
        ("signal", "KILL", "failed", 137, "SIGKILL"),
        ("signal", "TERM", "failed", 143, "SIGTERM"),
    ],
)
def test_the_record_says_how_a_command_ended(
    commands: Server, how: str, what: str, state: str, code: int, reason: str
) -> None:
    record = finished(commands, "ends", how=how, what=what)
    assert (record["state"], record["exit"]["code"]) == (state, code)
    assert reason in record["exit"]["reason"]
    assert commands.output(record["id"]) == f"ending by {how} {what}\n".encode()


def test_stop_asks_by_the_signal_that_the_command_wants(commands: Server) -> None:
    run = commands.start_run("waits")
    eventually(lambda: commands.output(run) == b"waiting\n")
    commands.post(f"/api/runs/{run}/stop")
    record = commands.ended(run)
    assert record["state"] == "stopped"
    assert commands.output(run).endswith(b"got INT\n")
    assert record["processes"]["left"] == 0


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "how is missing"),
        ({"how": "jump", "what": "1"}, "how must be one of 'exit', 'signal'"),
        ({"how": "exit", "what": "-1"}, "what begins with '-' ('-1')"),
        ({"how": "exit", "what": "1\n"}, r"what has a control character ('\n')"),
        ({"how": "exit", "what": "1\0"}, "NUL"),
        ({"how": "exit", "what": "\x1b[2J"}, r"what has a control character ('\x1b')"),
        ({"how": "exit", "what": "x" * 200_000}, "what"),
        ({"how": "exit", "what": ["1"]}, "what must be str"),
        ({"how": "exit", "what": "1", "more": 1}, "there is no parameter 'more'"),
    ],
)
def test_what_no_argument_may_have_is_refused_before_the_start(
    commands: Server, params: dict[str, object], said: str
) -> None:
    response = commands.post("/api/runs", {"job": "ends", "params": params})
    assert (response.status_code, response.json()["code"]) == (422, "bad_parameters")
    assert said in response.json()["detail"]


def test_a_faulty_file_is_told_and_is_no_job(commands: Server) -> None:
    jobs = {job["name"]: job for job in commands.get("/api/jobs").json()["jobs"]}
    assert "faulty" not in jobs
    assert jobs["waits"]["kind"] == "command"
    notices: list[dict[str, Any]] = []
    client = ordered_client()
    client.on("notice", notices.append)
    client.connect(commands.url, transports=["websocket"])
    try:
        notice = eventually(lambda: notices)[0]
    finally:
        client.disconnect()
    assert notice["code"] == "jobs_folder"
    message = "there is no key 'timeouts': did you mean 'timeout'?"
    assert notice["message"] == f"{JOBS / 'faulty.toml'}:2: {message}"


def test_a_program_that_is_gone_since_the_start_fails_its_run(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name in ("apart.sh", "apart.toml"):
        shutil.copy(JOBS / name, folder)
    with Server(tmp_path, JOBS_PATH=str(folder)) as server:
        (folder / "apart.sh").unlink()
        record = finished(server, "apart")
    assert record["state"] == "failed"
    assert record["exit"]["reason"] == f"the command {folder}/apart.sh does not exist"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {"JOBS_PATH": "examples/jobs", "STOP_GRACE_SECONDS": "20"}
    with Server(tmp_path_factory.mktemp("server"), **environ) as running:
        yield running


def test_all_examples_load(examples: Server) -> None:
    jobs = {job["name"]: job for job in examples.get("/api/jobs").json()["jobs"]}
    kinds = {
        name: (jobs[name]["kind"], jobs[name]["isolation"])
        for name in ("checksum", "countdown", "largest", "restart")
    }
    assert kinds == {
        "checksum": ("command", "process"),
        "countdown": ("function", "process"),
        "largest": ("command", "process"),
        "restart": ("command", "process"),
    }
    assert "no jobs from" not in examples.log


def test_the_example_of_a_shell_script(examples: Server, tmp_path: Path) -> None:
    for name, size in {
        "small": 1,
        "larger": 100_000,
        ".hidden": 300_000,
        "with space": 900,
    }.items():
        (tmp_path / name).write_bytes(bytes(size))
    record = finished(examples, "largest", folder=str(tmp_path), number=2)
    lines = examples.output(record["id"]).decode().splitlines()
    assert record["state"] == "succeeded", lines
    assert lines[0] == f"The 2 largest of {tmp_path}:"
    assert lines[1].endswith("KiB  larger")
    assert len(lines) == 3
    record = finished(examples, "largest", folder=str(tmp_path), number=1, hidden=True)
    assert examples.output(record["id"]).decode().splitlines()[1].endswith("KiB  .hidden")
    record = finished(examples, "largest", folder="-absent")
    assert record["state"] == "failed"


def test_the_example_in_python(examples: Server) -> None:
    run = examples.start_run("countdown", seconds=100)
    eventually(lambda: examples.output(run).startswith(b"100 seconds left\n"))
    examples.post(f"/api/runs/{run}/stop")
    record = examples.ended(run)
    assert record["state"] == "stopped"
    assert examples.output(run).endswith(b"stopped early\n")


@pytest.mark.parametrize(("answer", "last"), [("y\n", "web is up"), ("n\n", "Nothing was done.")])
def test_the_example_that_asks(examples: Server, answer: str, last: str) -> None:
    run = examples.start_run("restart", service="web")
    eventually(lambda: examples.run_record(run)["waiting"])
    assert examples.post(f"/api/runs/{run}/input", {"data": answer}).status_code == 200
    record = examples.ended(run)
    output = examples.output(run).decode().splitlines()
    assert record["state"] == "succeeded", output
    assert output[0].startswith("Really restart web? [y/N] ")
    assert output[-1] == last


def sent(server: Server, name: str, data: bytes) -> str:
    response = requests.post(
        f"{server.url}/api/uploads",
        params={"name": name},
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        timeout=20,
    )
    assert response.status_code == 201, response.text
    upload: str = response.json()["upload"]
    return upload


def test_the_example_with_a_file(examples: Server) -> None:
    data = b"\0\xff" * 100_000
    upload = sent(examples, "some data.bin", data)
    record = finished(examples, "checksum", file=upload)
    output = examples.output(record["id"]).decode()
    assert record["state"] == "succeeded", output
    assert output == f"{hashlib.sha256(data).hexdigest()}  some data.bin\n"
