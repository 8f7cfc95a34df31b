"""Uploads: one run each, their user's alone, and nothing left of them, whatever dies."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime import Upload, host
from flask_realtime.errors import (
    BadParameters,
    TooManyUploads,
    UnknownUpload,
    UploadFailed,
    UploadTooLarge,
)
from flask_realtime.parameters import UploadId
from flask_realtime.uploads import uploads
from flask_realtime.uploads.uploadfolder import LONGEST_NAME, IncomingFile, UploadFolder, safe_name
from flask_realtime.uploads.uploads import CHUNK_BYTES, MOST_WAITING, Uploads
from tests.support.hub import until

ROOT = Path(__file__).resolve().parents[2]
ANY = {"file": Upload(max_mib=1)}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def make(base: Path) -> Iterator[Callable[..., Uploads]]:
    """Makes what a server process has."""
    made: list[Uploads] = []

    def start(max_bytes: int = 1 << 20) -> Uploads:
        made.append(Uploads(base, max_bytes))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()
    assert not list(base.glob("*"))


@pytest.fixture
def here(make: Callable[..., Uploads]) -> Uploads:
    return make()


def reader(*pieces: bytes | BaseException) -> Callable[[int], bytes]:
    left = list(pieces)

    def read(size: int) -> bytes:
        assert size == CHUNK_BYTES
        piece = left.pop(0) if left else b""
        if isinstance(piece, BaseException):
            raise piece
        return piece

    return read


def put(to: Uploads, *pieces: bytes, user: str = "ann", name: str = "a.txt") -> str:
    return to.receive(user, name, reader(*pieces)).id


def claim(at: Uploads, upload: str, *, run: str = "r1", user: str = "ann", **more: Any) -> Path:
    claimed = at.claim(run, user, more.get("wanted", ANY), {"file": UploadId(upload)})
    return claimed.paths["file"]


def files(base: Path) -> list[str]:
    """All files, but for the locks."""
    # Unlike rglob, os.walk does not mind that folders vanish.
    found = [name for _, _, names in os.walk(base) for name in names]
    return sorted(name for name in found if name != "lock")


def test_a_run_gets_the_file_and_its_name_and_nothing_is_left(here: Uploads, base: Path) -> None:
    stored = here.receive("ann", "Quarter 1.csv", reader(b"a,b\n", b"1,2\n"))
    assert (stored.name, stored.bytes) == ("Quarter 1.csv", 8)
    claimed = here.claim("r1", "ann", ANY, {"file": UploadId(stored.id)})
    path = claimed.paths["file"]
    assert claimed.shown == {"file": {"name": "Quarter 1.csv", "bytes": 8}}
    assert (path.name, path.read_bytes()) == ("Quarter 1.csv", b"a,b\n1,2\n")
    here.release("r1")
    assert not path.exists()
    assert files(base) == []


def test_only_the_user_of_the_server_can_look_into_the_folders(here: Uploads, base: Path) -> None:
    path = claim(here, put(here, b"x"))
    for folder in (base, *path.relative_to(base).parents):
        mode = stat.S_IMODE((base / folder).stat().st_mode)
        assert mode == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_upload_is_its_users_alone(here: Uploads) -> None:
    upload = put(here, b"x")
    with pytest.raises(BadParameters, match=r"file: there is no upload .* of yours"):
        claim(here, upload, user="bob")
    with pytest.raises(UnknownUpload):
        here.delete("bob", upload)
    assert claim(here, upload).read_bytes() == b"x"


def test_an_upload_is_for_one_run(here: Uploads) -> None:
    upload = put(here, b"x")
    claim(here, upload)
    with pytest.raises(BadParameters, match="file: run r1 has this upload, and it is for one run"):
        claim(here, upload, run="r2")
    with pytest.raises(UnknownUpload):
        here.delete("ann", upload)
    here.release("r1")
    with pytest.raises(BadParameters, match="there is no upload"):
        claim(here, upload, run="r2")


def test_what_a_run_of_somebody_else_has_is_not_told(here: Uploads) -> None:
    upload = put(here, b"x")
    claim(here, upload)
    with pytest.raises(BadParameters, match="there is no upload"):
        claim(here, upload, run="r2", user="bob")


def test_of_two_runs_that_want_a_file_at_once_one_gets_it(make: Callable[..., Uploads]) -> None:
    servers = [make(), make()]
    upload = put(servers[0], b"x")
    got: list[str] = []

    def want(server: Uploads, run: str) -> None:
        try:
            claim(server, upload, run=run)
        except BadParameters:
            got.append("")
        else:
            got.append(run)

    for number in range(6):
        host.spawn(want, servers[number % 2], f"r{number}")
    until(lambda: len(got) == 6)
    assert sorted(got)[:5] == [""] * 5
    assert got != [""] * 6


def test_another_process_of_the_folder_can_claim_and_delete(make: Callable[..., Uploads]) -> None:
    one, other = make(), make()
    first, second = put(one, b"first"), put(one, b"second")
    path = claim(other, first)
    assert path.read_bytes() == b"first"
    other.delete("ann", second)
    with pytest.raises(UnknownUpload):
        one.delete("ann", second)
    one.stop()
    assert path.exists()
    other.release("r1")
    assert not path.exists()


def test_all_files_of_a_run_are_claimed_or_none(here: Uploads) -> None:
    wanted = {"a": Upload(), "b": Upload(), "c": Upload()}
    upload = put(here, b"x")
    with pytest.raises(BadParameters, match=r"b: there is no upload 'f{32}'") as caught:
        here.claim("r1", "ann", wanted, {"a": UploadId(upload), "b": UploadId("f" * 32), "c": None})
    assert "a:" not in caught.value.message
    assert claim(here, upload).exists()


def test_what_was_claimed_is_given_back_when_the_run_does_not_begin(here: Uploads) -> None:
    upload = put(here, b"x")
    claim(here, upload)
    here.give_back("r1", "ann")
    assert claim(here, upload, run="r2").read_bytes() == b"x"
    here.give_back("r3", "ann")


def test_one_file_cannot_be_two_parameters(here: Uploads) -> None:
    upload = UploadId(put(here, b"x"))
    with pytest.raises(BadParameters, match="for one parameter: upload the file for each"):
        here.claim("r1", "ann", {"a": Upload(), "b": Upload()}, {"a": upload, "b": upload})


def test_a_file_beyond_the_bound_of_its_parameter_is_refused(here: Uploads) -> None:
    upload = put(here, b"x" * 1025)
    with pytest.raises(BadParameters, match=r"file: 'a\.txt' has 1,025 bytes, and may have 1,024"):
        claim(here, upload, wanted={"file": Upload(max_mib=1 / 1024)})
    assert claim(here, upload).exists()


@pytest.mark.parametrize("upload", ["", "..", "*", "x" * 5000, "../../up-", "f" * 32, "F" * 32])
def test_an_id_that_is_none_is_unknown(here: Uploads, upload: str) -> None:
    put(here, b"x")
    with pytest.raises(UnknownUpload) as caught:
        here.delete("ann", upload)
    assert len(caught.value.message) < 300


# Nothing is left of what fails


@pytest.mark.parametrize("pieces", [[b"x" * 101], [b"x" * 50, b"x" * 51], [b"x"] * 101])
def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    make: Callable[..., Uploads], base: Path, pieces: list[bytes]
) -> None:
    small = make(max_bytes=100)
    put(small, b"x" * 100)
    with pytest.raises(UploadTooLarge, match="MAX_UPLOAD_MIB"):
        put(small, *pieces)
    assert files(base) == ["a.txt", "about.json"]


@pytest.mark.parametrize("error", [ConnectionResetError(), ValueError("cut"), KeyboardInterrupt()])
def test_an_upload_that_breaks_off_leaves_nothing(
    here: Uploads, base: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        here.receive("ann", "a", reader(b"x" * 10_000, error))
    assert files(base) == []
    for _ in range(MOST_WAITING):  # none of them counts
        put(here, b"")


def test_an_upload_whose_request_is_ended_leaves_nothing(here: Uploads, base: Path) -> None:
    waiting = host.Signal()
    reading: list[bytes] = []

    def read(size: int) -> bytes:
        if not reading:
            reading.append(b"x" * 10_000)
            return reading[0]
        waiting.wait()
        return b""

    task = host.spawn(here.receive, "ann", "a", read)
    until(lambda: "a" in files(base))
    task.kill()
    until(lambda: files(base) == [])


def test_a_disk_that_is_full_is_said_and_leaves_nothing(
    here: Uploads, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: IncomingFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(here, b"")  # the folder itself is there
    write = IncomingFile.write
    monkeypatch.setattr(
        IncomingFile, "write", lambda self, data: (full if data else write)(self, data)
    )
    with pytest.raises(UploadFailed, match="there is no room left"):
        put(here, b"x" * CHUNK_BYTES)
    assert files(base) == ["a.txt", "about.json"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    here = Uploads(tmp_path / "file" / "uploads", 100)
    here.start()
    with pytest.raises(UploadFailed, match="the server's log says why"):
        put(here, b"x")
    here.stop()
    with pytest.raises(UploadFailed, match="set UPLOADS_PATH"):
        put(Uploads(None, 100), b"x")


def test_a_user_has_a_bounded_number_of_unused_files(here: Uploads) -> None:
    kept = [put(here, b"x") for _ in range(MOST_WAITING)]
    with pytest.raises(TooManyUploads, match="start runs with them, remove some"):
        put(here, b"x")
    put(here, b"x", user="bob")
    here.delete("ann", kept[0])
    put(here, b"x")
    claim(here, kept[1])
    put(here, b"x")


def test_what_others_claimed_counts_no_more(make: Callable[..., Uploads]) -> None:
    one, other = make(), make()
    for number in range(MOST_WAITING):
        claim(other, put(one, b"x"), run=f"r{number}")
    put(one, b"x")


def test_a_file_that_nobody_claims_is_removed_in_time(
    make: Callable[..., Uploads], base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SWEEP_SECONDS", 0.01)
    here = make()
    used, _, fresh = (put(here, b"x", name=name) for name in ("used", "unused", "fresh"))
    claim(here, used)
    for folder in list(base.glob("server-*/*-*")):  # before any is removed
        if fresh not in folder.name:
            os.utime(folder, (0, 0))
    until(lambda: files(base) == ["about.json", "about.json", "fresh", "used"])
    assert claim(here, fresh, run="r2").exists()


def test_the_first_start_after_a_crash_cleans_up_and_spares_all_else(
    make: Callable[..., Uploads], base: Path, request: pytest.FixtureRequest
) -> None:
    program = """
import os, sys
from pathlib import Path
from flask_realtime.uploads.uploadfolder import IncomingFile, UploadFolder
folder = UploadFolder(Path(sys.argv[1]))
for name in ("a", "b", "c"):
    file = IncomingFile(folder, name * 32, name)
    file.write(b"x")
    if name != "c":
        file.finish("ann")
folder.claim("b" * 32, "r1")
print(*os.listdir(folder.own()), flush=True)
os._exit(1)
"""
    request.addfinalizer((there := UploadFolder(base)).close)
    alive = IncomingFile(there, "d" * 32, "alive")
    request.addfinalizer(alive.discard)
    alive.write(b"")
    (base / "mine.txt").write_text("not ours")
    (base / "server-mine").mkdir()
    (base / f"server-{'1' * 32}").symlink_to(base / "server-mine")
    died = subprocess.run(
        [sys.executable, "-c", program, base], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert set(died.stdout.split()) == {
        *("lock", f"up-{'a' * 32}", f"run-r1-{'b' * 32}", f"new-{'c' * 32}")
    }
    make()
    until(lambda: files(base) == ["alive", "mine.txt"])
    (base / f"server-{'1' * 32}").unlink()
    (base / "server-mine").rmdir()
    (base / "mine.txt").unlink()


def test_after_the_stop_nothing_is_taken_and_nothing_made(here: Uploads, base: Path) -> None:
    claim(here, put(here, b"x"))
    here.stop()
    with pytest.raises(UploadFailed):
        put(here, b"x")
    here.release("r1")
    here.give_back("r1", "ann")
    assert list(base.glob("*")) == []


# Names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.csv", "report.csv"),
        ("Übersicht März 2026 (2).xlsx", "Übersicht März 2026 (2).xlsx"),
        ("/etc/passwd", "passwd"),
        ("../../x", "x"),
        ("C:\\Users\\ann\\a.txt", "a.txt"),
        ("", "upload"),
        ("a/", "upload"),
        ("..", "upload"),
        ("a. .", "a"),
        (".bashrc", "_.bashrc"),
        ("-rf", "_-rf"),
        ("a\0b\nc\x1b[1m", "a_b_c_[1m"),
        ("\ud800.txt", "_.txt"),
        ("gpj.\u202etxt", "gpj._txt"),
        ("a\u2028b", "a_b"),
        ("x" * 300 + ".csv", "x" * (LONGEST_NAME - 4) + ".csv"),
        ("ü" * 300, "ü" * (LONGEST_NAME // 2)),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(st.characters(blacklist_categories=())) | st.text("./\\-\0a", max_size=9))
def test_any_name_becomes_one_that_a_file_can_have(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) <= LONGEST_NAME
    assert safe[0] not in ".-"
    assert not set(safe) & set("/\\\0\n")
    assert safe_name(safe) == safe
