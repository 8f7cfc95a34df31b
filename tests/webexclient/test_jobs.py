"""The jobs on a small Webex: what they print, how they stop, how they end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from app.create_spaces import create_spaces
from app.delete_spaces import delete_spaces
from app.list_spaces import list_spaces
from app.webex.access import WebexAccess, access, webex_client
from app.webex.errors import LoginNeeded
from flask_realtime.errors import BadParameters
from flask_realtime.jobs import make_job
from tests.webexclient.faketenant import FakeTenant
from tests.webexclient.fakewebex import refusal
from tests.webexclient.jobrun import Stop, run_job

ROOMS = {"Alpha": 3, "Beta": 0, "Gamma": 1, "Delta": 2500}
SOON = 20  # seconds, of the minute that it would wait otherwise


def test_each_space_has_a_line_and_the_totals_come_last() -> None:
    outcome = FakeTenant(ROOMS).run(list_spaces)
    assert outcome.lines[0] == "4 spaces of Ada Example"
    assert sorted(line[:6] for line in outcome.lines[1:5]) == [f"[{n}/4] " for n in range(1, 5)]
    assert outcome.spaces == [
        "Alpha: 3 messages, oldest 2026-01-01 00:00:01, newest 2026-01-01 00:00:03",
        "Beta: no messages",
        "Delta: 2,500 messages, oldest 2026-01-01 00:00:01, newest 2026-01-01 00:41:40",
        "Gamma: 1 message, oldest 2026-01-01 00:00:01, newest 2026-01-01 00:00:01",
    ]
    assert re.fullmatch(
        r"4 of 4 spaces: 2,504 messages, oldest 2026-01-01 00:00:01, newest 2026-01-01 00:41:40 "
        r"in \d+\.\d s",
        outcome.lines[5],
    )
    assert outcome.sentence == ""


def test_who_has_no_spaces_is_told() -> None:
    outcome = FakeTenant({}).run(list_spaces)
    assert outcome.lines[0] == "0 spaces of Ada Example"
    assert outcome.lines[1].startswith("0 of 0 spaces: no messages in ")


def test_titles_of_strangers_stay_on_their_line() -> None:
    outcome = FakeTenant({"a\n[9/9] b\x1b[2J\u202e": 1, "": 1, "long " * 100: 1}).run(list_spaces)
    assert len(outcome.lines) == 5
    assert all(line.isprintable() for line in outcome.lines)
    assert outcome.spaces[0].startswith("(without a title): 1 message")
    assert max(map(len, outcome.lines)) < 200


def test_a_space_that_vanished_or_forbids_is_one_line() -> None:
    def override(request: web.Request) -> web.Response | None:
        room = request.query.get("roomId")
        if room == "r0":
            return refusal(404, "Could not find a room with provided ID.")
        return refusal(403, "Not for you.") if room == "r2" else None

    outcome = FakeTenant(ROOMS, override).run(list_spaces)
    assert outcome.spaces[0] == (
        "Alpha: vanished: 404 Not Found: Could not find a room with provided ID. "
        "(tracking id ROUTER_1-2)"
    )
    assert outcome.spaces[3] == (
        "Gamma: forbidden: 403 Forbidden: Not for you. (tracking id ROUTER_1-2)"
    )
    assert outcome.lines[-1].startswith("2 of 4 spaces, 2 could not be read in full: 2,500 messa")
    assert outcome.sentence == ""


def test_a_space_that_vanishes_in_between_shows_what_could_be_read() -> None:
    def override(request: web.Request) -> web.Response | None:
        if request.query.get("roomId") == "r3" and len(request.query) > 2:
            return refusal(404, "Could not find a room with provided ID.")
        return None

    outcome = FakeTenant(ROOMS, override).run(list_spaces)
    assert outcome.spaces[2].startswith(
        "Delta: only 1,000 messages, oldest 2026-01-01 00:25:01, newest 2026-01-01 00:41:40 "
        "could be read; vanished: 404"
    )
    assert "3 of 4 spaces, 1 could not be read in full: 1,004 messages" in outcome.lines[-1]


def test_a_login_that_does_not_cover_people_lists_the_spaces_all_the_same() -> None:
    def override(request: web.Request) -> web.Response | None:
        return refusal(403) if "people" in request.path else None

    outcome = FakeTenant(ROOMS, override).run(list_spaces)
    assert outcome.lines[0] == "4 spaces"
    assert len(outcome.spaces) == 4


def hangs(what: str, stop: Stop) -> Callable[[web.Request], Any]:
    """Answers `what` never, and presses Stop when it is asked for."""

    def override(request: web.Request) -> Any:
        if what not in str(request.url) or (what == "rooms" and request.path != "/v1/rooms"):
            return None

        async def wait() -> None:
            stop.press()
            await asyncio.sleep(60)

        return wait()

    return override


@pytest.mark.parametrize("what", ["people/me", "rooms", "messages", "beforeMessage"])
def test_stop_works_at_once_whatever_it_waits_for(what: str) -> None:
    tenant = FakeTenant(ROOMS)
    tenant.override = hangs(what, tenant.stop)
    outcome = tenant.run(list_spaces)
    assert outcome.stopped_in < SOON
    assert "Stopped after" in outcome.text
    assert outcome.sentence == ""


def test_stop_works_while_it_waits_for_a_rate_limit() -> None:
    tenant = FakeTenant(ROOMS)

    def override(request: web.Request) -> web.Response | None:
        if "messages" not in request.path:
            return None
        tenant.stop.press()
        return refusal(429, Retry_After="60")

    tenant.override = override
    assert tenant.run(list_spaces).stopped_in < SOON


def test_a_stop_before_the_start_makes_no_call() -> None:
    tenant = FakeTenant(ROOMS)
    tenant.stop.press()
    outcome = tenant.run(list_spaces)
    assert tenant.seen == []
    assert outcome.lines[0] == "Stopped after 0 of 0 spaces."


@pytest.mark.parametrize("job", [list_spaces, create_spaces, delete_spaces])
def test_without_a_login_it_says_what_to_do(job: Callable[..., Any]) -> None:
    params = {"prefix": "x"} if job is delete_spaces else {}

    async def work(running: Callable[[], bool]) -> None:
        access.set(None)
        await job(running, **params)

    outcome = run_job(work, Stop())
    assert "Log in with Webex first" in outcome.sentence


@pytest.mark.parametrize("job", [list_spaces, create_spaces, delete_spaces])
@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "login has ended"), (403, "scope"), (400, "did not do what was asked")],
)
def test_a_login_that_is_refused_ends_with_a_sentence(
    job: Callable[..., Any], status: int, said: str
) -> None:
    tenant = FakeTenant({"x": 1}, lambda request: refusal(status, "No."))
    outcome = tenant.run(job, **({"prefix": "x"} if job is not list_spaces else {}))
    assert "Traceback" not in outcome.text
    if job is create_spaces and status != 401:
        assert "x 1: not created:" in outcome.text
    else:
        assert said in outcome.sentence
        assert "tracking id" in outcome.sentence or status == 401


def test_a_login_that_ends_in_mid_run_shows_what_came_until_then() -> None:
    def override(request: web.Request) -> web.Response | None:
        return refusal(401) if request.query.get("roomId") == "r3" else None

    outcome = FakeTenant(ROOMS, override).run(list_spaces, concurrency=1)
    assert len(outcome.spaces) == 3
    assert outcome.lines[-1].startswith("3 of 4 spaces: 4 messages")
    assert "Log in with Webex again" in outcome.sentence


def test_the_client_of_a_run_hides_its_token_and_takes_options() -> None:
    async def work(running: Callable[[], bool]) -> None:
        found = WebexAccess("secret-token", "http://127.0.0.1:1/v1", {"total_timeout": 1})
        assert "secret" not in repr(found)
        access.set(found)
        assert str(webex_client(concurrency=3).url("rooms")) == "http://127.0.0.1:1/v1/rooms"
        access.set(None)
        with pytest.raises(LoginNeeded, match="log in with Webex first"):
            webex_client()

    run_job(work, Stop())


def test_spaces_are_created_with_their_members() -> None:
    tenant = FakeTenant({})
    members = ["ada@sandbox.example", "ben@sandbox.example"]
    outcome = tenant.run(create_spaces, number=10, members=members, prefix=" Trial ")
    assert sorted(tenant.rooms.values()) == [f"Trial {n:02}" for n in range(1, 11)]
    assert all(sorted(found) == members for found in tenant.members.values())
    assert outcome.spaces[0] == "Trial 01: created, 2 members"
    assert outcome.lines[-1] == "10 of 10 spaces created."


def test_a_member_who_cannot_be_added_and_a_space_that_cannot_be_created_are_told() -> None:
    async def override(request: web.Request) -> web.Response | None:
        body = await request.text()
        if "nobody@" in body:
            return refusal(404, "No such person.")
        return refusal(502) if "Trial 2" in body else None

    tenant = FakeTenant({}, override)
    outcome = tenant.run(create_spaces, number=3, members=["nobody@sandbox.example"])
    assert outcome.spaces[0] == (
        "Trial 1: created, 0 members; nobody@sandbox.example was not added: "
        "404 Not Found: No such person. (tracking id ROUTER_1-2)"
    )
    assert "Trial 2: not created: 502" in outcome.spaces[1]
    assert "it may have been carried out all the same" in outcome.spaces[1]
    assert outcome.lines[-1] == "2 of 3 spaces created."


def test_what_a_stop_interrupts_is_told() -> None:
    tenant = FakeTenant({})
    tenant.override = hangs("rooms", tenant.stop)
    outcome = tenant.run(create_spaces, number=2)
    assert outcome.stopped_in < SOON
    assert "Trial 1: interrupted; it may exist, in part or in full" in outcome.lines
    assert outcome.lines[-1] == "0 of 2 spaces created."


def test_deleting_only_says_what_it_would_do_unless_told_otherwise() -> None:
    tenant = FakeTenant({"Trial 1": 0, "trial 2": 0, "Trial 3": 0, "A Trial": 0})
    tenant.types["r2"] = "direct"
    outcome = tenant.run(delete_spaces, prefix="Trial")
    assert outcome.spaces == ["Trial 1: would be deleted"]
    assert outcome.lines[-1].startswith("1 space would be deleted; switch dry_run off")
    assert len(tenant.rooms) == 4
    outcome = tenant.run(delete_spaces, prefix="Trial", dry_run=False)
    assert outcome.lines[-1] == "1 of 1 spaces deleted."
    assert sorted(tenant.rooms.values()) == ["A Trial", "Trial 3", "trial 2"]


def test_a_space_that_cannot_be_deleted_does_not_end_it() -> None:
    def override(request: web.Request) -> web.Response | None:
        if request.method != "DELETE":
            return None
        if request.path.endswith("r0"):
            return refusal(403, "Moderators only.")
        return refusal(404) if request.path.endswith("r1") else None

    tenant = FakeTenant({"T 1": 0, "T 2": 0, "T 3": 0}, override)
    outcome = tenant.run(delete_spaces, prefix="T", dry_run=False)
    assert outcome.spaces[0].startswith("T 1: forbidden: 403 Forbidden: Moderators only.")
    assert outcome.spaces[1:] == ["T 2: gone already", "T 3: deleted"]
    assert outcome.lines[-1] == "1 of 3 spaces deleted, 1 could not be deleted."


def test_they_are_jobs_whose_parameters_are_checked() -> None:
    assert make_job(list_spaces).bind({}) == {"concurrency": 50, "page_size": 1000}
    assert make_job(create_spaces).bind({}) == {"number": 3, "members": [], "prefix": "Trial"}
    assert make_job(delete_spaces).bind({"prefix": "T"}) == {"prefix": "T", "dry_run": True}
    for job, params in (
        (delete_spaces, {}),
        (delete_spaces, {"prefix": ""}),
        (delete_spaces, {"prefix": "  "}),
        (create_spaces, {"number": 0}),
        (create_spaces, {"prefix": " "}),
        (list_spaces, {"concurrency": 0}),
        (list_spaces, {"page_size": 1001}),
    ):
        with pytest.raises(BadParameters):
            make_job(job).bind(params)
