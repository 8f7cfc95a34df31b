"""``flask realtime run``, and its reloader, which spares running jobs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from flask import Flask

from flask_realtime.server.cli import realtime
from flask_realtime.server.reloader import changed, snapshot
from tests.server.program import environ
from tests.support.patience import eventually

# As the entry point of the package does it: flask finds the command among its own.
MAIN = """
import sys
from flask.cli import FlaskGroup
from flask_realtime.server.cli import realtime

def create_app():
    from hosted import app
    return app

group = FlaskGroup(create_app=create_app, add_default_commands=False)
group.add_command(realtime)
group.main()
"""
PLAIN = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def index():
    return "one"
"""
WITH_JOBS = """
import time
from pathlib import Path
from flask import Flask
from flask_realtime import Realtime
app = Flask(__name__, instance_path=str(Path(__file__).parent / "instance"))
realtime = Realtime(app)
@app.get("/")
def index():
    return "one"
@realtime.job
def wait(running):
    while running() and not Path("go").exists():
        time.sleep(0.01)
    print("not lost")
"""


class Command:
    """``flask realtime run`` as a child process, in a folder of its own."""

    def __init__(self, folder: Path, source: str, *options: str, stdin: int) -> None:
        self.folder = folder
        (folder / "hosted.py").write_text(source)
        (folder / "main.py").write_text(MAIN)
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "ignore",
                    "main.py",
                    "realtime",
                    "run",
                    "--port=0",
                    *options,
                ],
                cwd=folder,
                env=environ(),
                stdin=stdin,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def urls(self) -> list[str]:
        assert self.process.poll() is None, self.log
        return re.findall(r"Serving (https?://[^/]+)/", self.log)

    def serving(self, count: int = 1) -> str:
        """Wait until it has come up so many times; return its address."""
        return eventually(lambda: found if len(found := self.urls()) >= count else [])[-1]

    def edit(self, old: str, new: str, path: str = "hosted.py") -> None:
        assert len(old) != len(new)  # else Python may take what it compiled in the same second
        file = self.folder / path
        file.write_text(file.read_text().replace(old, new))

    def stop(self, number: int = signal.SIGTERM) -> int:
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        code = self.process.wait(60)
        _, alive = psutil.wait_procs(children, 10)
        assert not alive
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            for each in psutil.Process(self.process.pid).children(recursive=True):
                each.kill()
            self.process.kill()
        self.process.wait()


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[list[Command]]:
    started: list[Command] = []
    yield started
    for each in started:
        each.close()


def start(
    commands: list[Command],
    folder: Path,
    source: str,
    *options: str,
    stdin: int = subprocess.DEVNULL,
) -> Command:
    made = Command(folder, source, *options, stdin=stdin)
    commands.append(made)
    return made


def test_it_serves_and_logs(commands: list[Command], tmp_path: Path) -> None:
    command = start(commands, tmp_path, PLAIN, "--cert=adhoc", "--hsts=60", "--access-log=json")
    url = command.serving()
    answer = requests.get(url.replace("https", "http"), timeout=60)
    assert answer.text == "This port speaks https only.\n"
    subprocess.run(["curl", "-sk", url], check=True, capture_output=True, timeout=60)
    eventually(lambda: '"target": "/"' in command.log)
    assert command.stop() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cert=absent.pem"], "ssl_cert: cannot read absent.pem: No such file or directory\n"),
        (["--key=key.pem"], "ssl_key: is of no use without ssl_cert\n"),
        (["--proxy=1.2.3"], "'1.2.3' is no proxy: expected an address, "),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(options: list[str], said: str) -> None:
    app = Flask("hosted")
    app.cli.add_command(realtime)
    result = app.test_cli_runner().invoke(args=["realtime", "run", *options])
    assert result.exit_code == 2
    assert result.output.startswith(said)
    assert result.output.count("\n") == 1


def test_its_help_names_every_option() -> None:
    app = Flask("hosted")
    app.cli.add_command(realtime)
    result = app.test_cli_runner().invoke(args=["realtime", "run", "--help"])
    assert result.exit_code == 0
    for option in ("host", "port", "cert", "key", "redirect-http", "hsts", "acme-folder", "proxy"):
        assert f"--{option}" in result.output


def test_a_change_starts_it_anew(commands: list[Command], tmp_path: Path) -> None:
    command = start(commands, tmp_path, PLAIN, "--reload")
    assert requests.get(command.serving(), timeout=60).text == "one"
    command.edit('"one"', '"second"')
    assert requests.get(command.serving(2), timeout=60).text == "second"
    assert "hosted.py changed: the server starts anew" in command.log
    command.edit('"second"', '"second')
    eventually(
        lambda: "the server ended with code 1; it starts again after a change" in command.log
    )
    assert "SyntaxError" in command.log
    command.edit('"second', '"the third"')
    assert requests.get(command.serving(3), timeout=60).text == "the third"
    assert command.stop() == 0


def test_a_running_job_is_not_ended_by_a_change(commands: list[Command], tmp_path: Path) -> None:
    command = start(commands, tmp_path, WITH_JOBS, "--reload")
    url = command.serving()
    api = f"{url}/realtime/api/runs"
    run = requests.post(api, json={"job": "wait", "params": {}}, timeout=60).json()["id"]
    command.edit('"one"', '"second"')
    said = "hosted.py changed, but 1 run is in progress (wait): the server starts anew once there"
    eventually(lambda: said in command.log)
    assert requests.get(url, timeout=60).text == "one"
    (tmp_path / "go").touch()
    again = command.serving(2)
    assert requests.get(again, timeout=60).text == "second"
    record = requests.get(f"{again}/realtime/api/runs/{run}", timeout=60).json()
    assert record["state"] == "succeeded"
    assert command.stop() == 0


def test_on_a_terminal_it_asks_whether_to_end_them(commands: list[Command], tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        command = start(commands, tmp_path, WITH_JOBS, "--reload", stdin=theirs)
        api = f"{command.serving()}/realtime/api/runs"
        run = requests.post(api, json={"job": "wait", "params": {}}, timeout=60).json()["id"]
        command.edit('"one"', '"second"')
        eventually(lambda: "Type y to end them" in command.log)
        os.write(ours, b"n\n")
        eventually(lambda: command.log.count("Type y to end them") == 2)
        os.write(ours, b"y\n")
        again = command.serving(2)
        record = requests.get(f"{again}/realtime/api/runs/{run}", timeout=60).json()
        assert record["state"] == "stopped"
        assert command.stop() == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_files_that_change_come_and_go_are_seen(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "notes.txt", ".hidden/d.py", "node_modules/e.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "venv" / "f.py").touch()
    before = snapshot(tmp_path)
    assert sorted(before) == [str(tmp_path / "a.py"), str(tmp_path / "b/c.py")]
    os.utime(tmp_path / "a.py", (time.time(), time.time() + 10))
    (tmp_path / "b/c.py").unlink()
    (tmp_path / "new.py").touch()
    assert changed(before, snapshot(tmp_path)) == [
        str(tmp_path / name) for name in ("a.py", "b/c.py", "new.py")
    ]
