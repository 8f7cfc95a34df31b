"""A login holds at all nodes that have the same keys, and a node that has others says so."""

from __future__ import annotations

from pathlib import Path

from tests.nodes.fleet import Fleet
from tests.support.logins import integration
from tests.support.patience import eventually
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox

OTHER_KEY = "d" * 43 + "="


def test_a_login_holds_at_all_nodes_and_after_the_end_of_each(tmp_path: Path) -> None:
    with Sandbox(spaces=2, messages=2) as sandbox:
        fleet = Fleet(tmp_path)
        fleet.environ |= integration(sandbox, REDIRECT_URI=f"{fleet.url}/redirect")
        del fleet.environ["PORT"]  # each has its own
        with fleet, Visitor(fleet, sandbox) as visitor:
            visitor.log_in()
            for node in fleet.nodes:
                node.kill()
                assert visitor.user
                for other in fleet.nodes:
                    if other is not node:
                        assert visitor.get(f"{other.url}/api/runs", timeout=60).status_code == 200
                node.start()
                assert visitor.get(f"{node.url}/api/runs", timeout=60).status_code == 200
            assert not any("is not the same" in node.log for node in fleet.nodes)
            (tmp_path / "stranger").mkdir()
            other_keys = {"SECRET_KEY": "s" * 40, "TOKEN_KEYS": OTHER_KEY}
            with Server(tmp_path / "stranger", **{**fleet.environ, **other_keys}) as stranger:
                for name in other_keys:
                    said = f"{name} is not the same here and at the node on"
                    eventually(lambda said=said: stranger.log.count(said) >= len(fleet.nodes))
                    for node in fleet.nodes:
                        eventually(lambda node=node, said=said: said in node.log)
                answer = visitor.get(f"{stranger.url}/api/runs", timeout=60)
                assert answer.status_code == 401
            # Once: each of them looked more than once.
            assert all(node.log.count("SECRET_KEY is not the same") == 1 for node in fleet.nodes)
