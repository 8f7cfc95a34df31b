"""What the images hold, and what they do not."""

from __future__ import annotations

import json
import re

import pytest

from tests.containers.stack import ROOT, docker

MIB = 1 << 20


def page_stage(name: str) -> str:
    """The instructions from which a Dockerfile builds the page."""
    found = re.search(r"^FROM \S+ AS page\n.*?(?=^(?:# .*\n)*FROM )", text_of(name), re.M | re.S)
    assert found
    return found[0].strip()


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_page_is_built_once_for_both_images() -> None:
    """The cache knows a stage again by its instructions."""
    assert page_stage("Dockerfile-flask") == page_stage("Dockerfile-nginx")


@pytest.mark.parametrize(
    ("image", "dockerfile", "most"),
    [
        ("app-flask", "Dockerfile-flask", 100 * MIB),
        ("app-nginx", "Dockerfile-nginx", 1 * MIB),
        ("app-redis", "Dockerfile-redis", 1 * MIB),
    ],
)
def test_images_add_little_to_their_base(image: str, dockerfile: str, most: int) -> None:
    base = re.findall(r"^FROM (\S+)", text_of(dockerfile), re.M)[-1]
    added = size(image) - size(base)
    assert 0 < added < most, f"{image} adds {added / MIB:.1f} MiB to {base}"


def size(image: str) -> int:
    found: int = json.loads(docker("image", "inspect", image))[0]["Size"]
    return found


def test_the_application_is_there_without_tools_and_tests() -> None:
    listed = docker("run", "--rm", "--entrypoint", "sh", "app-flask", "-c", LIST).split()
    assert {"app", "flask_realtime", "webexsandbox", "wsgi.py"} <= set(listed)
    assert not set(listed) & {"tests", "frontend", "docs", ".git", "node", "redis-server", "npm"}
    assert docker("image", "inspect", "-f", "{{.Config.User}}", "app-flask").strip() == "app"


LIST = "ls -A /srv; ls /venv/bin; command -v node npm redis-server || true"


@pytest.mark.parametrize("image", ["app-flask", "app-nginx", "app-redis"])
def test_images_hold_no_configuration_of_the_clone(image: str) -> None:
    """The fixture that builds them has some in the clone: .dockerignore keeps it away."""
    found = docker("run", "--rm", "-u", "root", "--entrypoint", "sh", image, "-c", SEARCH)
    assert found == ""


SEARCH = "grep -rlF stays-out-of-images /srv /etc /usr/local/etc || [ $? = 1 ]"
