"""What README and docs/ name exists: links, files, make targets, commands, names to import."""

from __future__ import annotations

import ast
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Made by running or building; a fresh clone has none of it.
MADE = {".venv", "node_modules", "dist", "build", "instance", "redis_data", "__pycache__"}
# Named in the docs, and not files of this repository.
ELSEWHERE = {
    "docs/jobs.md": {"json.py"},  # a user's job
    "docs/decisions/013-jobs-folder.md": {"json.py"},
    "docs/decisions/020-build-and-setup.md": {"uv.lock"},  # uv would keep addresses in it
}

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def repository() -> set[str]:
    """Return the paths of all files and folders; a folder's ends with a slash."""
    found = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in MADE and (name[0] != "." or name == ".ci")
        ]
        base = Path(folder).relative_to(ROOT)
        found |= {(base / name).as_posix() for name in files}
        found |= {(base / name).as_posix() + "/" for name in folders}
    return found


PATHS = repository()
SUFFIXES = {Path(path).suffix for path in PATHS} - {""}
TOP = {path.split("/")[0] for path in PATHS if "/" in path}


def blocks(document: Path) -> list[str]:
    """The code blocks: fenced, or indented by four after an empty line."""
    text = document.read_text("utf-8")
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?<=\n\n)(?:    .*\n(?:\n(?=    ))?)+", rest)
    return fenced + [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in indented]


def inline(document: Path) -> list[str]:
    """What stands between backticks within a line."""
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def commands(document: Path) -> Iterator[str]:
    """Lines of code that a reader may type, without their comments."""
    for code in (*blocks(document), *inline(document)):
        yield from (re.split(r"\s+#\s", line)[0].strip() for line in code.splitlines())


def slugs(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+?) *$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)[^)]*\)", text)


def names_a_file(code: str) -> bool:
    if not re.fullmatch(r"(\./)?[A-Za-z_.][\w.-]*(/[\w.-]+)*/?", code):
        return False
    parts = code.removeprefix("./").split("/")
    if parts[0] in MADE:
        return False
    return Path(code).suffix in SUFFIXES or (len(parts) > 1 and parts[0] in TOP) or parts[-1] == ""


def exists(code: str) -> bool:
    wanted = code.removeprefix("./")
    return any(
        path == wanted or path.endswith("/" + wanted)
        for path in PATHS | {path.rstrip("/") for path in PATHS}
    )


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    dead = []
    for link in links(document.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        is_there = target.exists() and target.is_relative_to(ROOT)
        if not is_there or (anchor and anchor not in slugs(target)):
            dead.append(link)
    assert not dead


@each_document
def test_files_named_in_backticks_exist(document: Path) -> None:
    missing = {code for code in inline(document) if names_a_file(code) and not exists(code)}
    assert missing == ELSEWHERE.get(document.relative_to(ROOT).as_posix(), set())


@each_document
def test_make_knows_the_targets_and_the_program_the_settings(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"\$[({]([A-Z]+)\b", makefile)) | {each.name for each in SETTINGS}
    for command in commands(document):
        if match := re.match(r"make((?: +[a-z-]+\b(?!=))*)(.*)", command):
            assert set(match[1].split()) <= targets, command
            assert set(re.findall(r"\b([A-Z][A-Z_]+)=", match[2])) <= variables, command


@each_document
def test_programs_to_call_exist(document: Path) -> None:
    for command in commands(document):
        match re.split(r"\s+", command):
            case ["python", "-m", module, *_] if module.split(".")[0] + "/" in PATHS:
                assert exists(module.replace(".", "/") + ".py"), command
            case ["python", program, *_] if program.endswith(".py"):
                assert program in PATHS, command
            case [program, *_] if program.endswith(".sh"):
                assert os.access(ROOT / program, os.X_OK), command


@each_document
def test_examples_import_what_there_is(document: Path) -> None:
    for code in blocks(document):
        if not re.search(r"^(from|import) ", code, re.MULTILINE):
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flask_rea"):
                module = importlib.import_module(node.module or "")
                assert not [each.name for each in node.names if not hasattr(module, each.name)]


def test_documents_named_in_the_sources_exist() -> None:
    named = {
        (path, name)
        for path in PATHS
        if Path(path).suffix in (".py", ".ts", ".mjs", ".sh", ".toml", ".md")
        for name in re.findall(r"\bdocs/[\w/-]+\.md\b", (ROOT / path).read_text("utf-8"))
    }
    assert named
    assert not [(path, name) for path, name in sorted(named) if name not in PATHS]


def test_the_first_screen_of_the_readme_gives_the_two_commands() -> None:
    first = blocks(ROOT / "README.md")[0]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make run", "make test"]
    screen = (ROOT / "README.md").read_text("utf-8").split("\n## ")[0]
    assert any(link.endswith(".png") for link in links(screen))
    for sibling in ("run", "test"):
        assert f"# make {sibling} " in (ROOT / "Makefile").read_text("utf-8")


def test_each_document_is_to_be_found_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        seen.add(document)
        for link in links(document.read_text("utf-8")):
            target = (document.parent / link.partition("#")[0]).resolve()
            found = sorted(target.glob("*.md")) if target.is_dir() else [target]
            waiting += [path for path in found if path.suffix == ".md" and path not in seen]
    assert set(DOCUMENTS) <= seen
