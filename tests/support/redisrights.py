"""The user of Redis that docs/redis.md tells operators to make, and what it was refused."""

from __future__ import annotations

import re
from typing import Any

from tests.support.loggedprocess import ROOT
from tests.support.redisgroups import Group

USER = "realtime"
PASSWORD = "invented-password"


def documented_rule() -> str:
    """The line of an ACL file, with our password."""
    page = (ROOT / "docs" / "redis.md").read_text("utf-8")
    found = re.search(rf"^user {USER} on >PASSWORD .*$", page, re.MULTILINE)
    assert found is not None
    return found[0].replace("PASSWORD", PASSWORD)


def documented_rule_for_clusters() -> str:
    """The same with what a cluster needs besides."""
    page = (ROOT / "docs" / "redis.md").read_text("utf-8")
    found = re.search(r"For a cluster add `(.*?)`", page)
    assert found is not None
    return f"{documented_rule()} {found[1]}"


def with_user(url: str) -> str:
    """A URL of a Redis without users as that user has it."""
    return url.replace("://", f"://{USER}:{PASSWORD}@")


def refusals(group: Group) -> list[Any]:
    """What the nodes refused the user, as ACL LOG has it; but its name, which redis-py tells."""
    found = []
    for node in group.nodes:
        if not node.runs:
            continue
        with node.client() as client:
            found += [(entry["object"], entry["context"]) for entry in client.acl_log()]
    return [refused for refused in found if not refused[0].startswith("client")]
