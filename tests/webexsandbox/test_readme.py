"""The README names what there is."""

from __future__ import annotations

import re
import typing

from tests.support.loggedprocess import ROOT
from webexsandbox.effects import Kind
from webexsandbox.faults import Fault
from webexsandbox.options import Options
from webexsandbox.state import Settings

TEXT = (ROOT / "webexsandbox" / "README.md").read_text("utf-8")


def rows(heading: str) -> dict[str, str]:
    """The rows of the table whose first column is `heading`: name → the rest."""
    table = TEXT.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))


def test_each_kind_of_fault_and_its_arguments_are_explained() -> None:
    table = rows("`do`")
    kinds = {str(kind.__struct_config__.tag): kind for kind in typing.get_args(Kind)}
    assert list(table) == list(kinds)
    for name, kind in kinds.items():
        own = set(kind.__struct_fields__) - set(Fault.__struct_fields__)
        assert {argument for argument in own if f"`{argument}`" not in table[name]} == set()


def test_each_setting_is_explained_with_its_default() -> None:
    table = rows("setting")
    defaults = {name: getattr(Settings(), name) for name in Settings.__struct_fields__}
    assert list(table) == list(defaults)
    for name, default in defaults.items():
        shown = table[name].partition(" |")[0].strip("`")
        assert type(default)(shown) == default


def test_the_credentials_are_right() -> None:
    options = Options()
    assert f"`{options.client_id}`" in TEXT
    assert f"`{options.client_secret}`" in TEXT
    assert f"--port {options.port} --spaces {options.spaces}" in TEXT
