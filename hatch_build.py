"""The build hook: a wheel of Flask-Realtime carries the built page.

pip runs it for `pip install .`, `pip install -e .` and `pip wheel .`. Where the page is stale and
no Node is on PATH, it has pip fetch one as a PyPI wheel into the temporary build environment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

import page_build


class PageBuildHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        if page_build.is_fresh() or page_build.node_on_path():
            return []
        return [page_build.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if page_build.is_fresh():
            return
        node = page_build.find_node()
        if node is None:
            raise SystemExit(page_build.NO_NODE)
        try:
            page_build.build(node)
        except page_build.PageBuildError as error:
            raise SystemExit(f"The page cannot be built: {error}") from None
