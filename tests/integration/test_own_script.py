"""The README's section "A button on your own script", line by line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.loggedprocess import ROOT
from tests.support.server import Server


def test_the_lines_of_the_readme_put_a_button_on_a_script(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.split("## A button on your own script\n")[1].split("\n## ")[0]
    shell, python = (
        re.sub(r"^    ", "", block, flags=re.MULTILINE)
        for block in re.findall(r"(?<=\n\n)(?:    .*\n(?:\n(?=    ))?)+", section)
    )
    *lines, start = shell.splitlines()
    assert len(lines) + 1 <= 5
    assert start.startswith("make run JOBS_PATH=jobs LOGIN=none ")
    (tmp_path / "backup.sh").write_text('#!/bin/sh\necho "Backing up $1"\n')
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=tmp_path, env=environ, check=True)
    named = re.match(r"# (jobs/\w+\.py)\n", python)
    assert named is not None
    (tmp_path / named[1]).write_text(python)
    with Server(tmp_path, JOBS_PATH=str(tmp_path / "jobs"), LOGIN="none") as server:
        for job, params, output in (
            ("backup", {"folder": "/srv/my data"}, b"Backing up /srv/my data\n"),
            ("greet", {}, b"Hello, world\n"),
        ):
            record = server.ended(server.start_run(job, **params))
            assert record["state"] == "succeeded"
            assert server.output(record["id"]) == output
