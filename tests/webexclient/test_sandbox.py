"""The jobs against the Webex sandbox, which misbehaves in every way that Webex was seen to."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from app.create_spaces import create_spaces
from app.delete_spaces import delete_spaces
from app.list_spaces import list_spaces
from app.webex import retry
from app.webex.access import WebexAccess, access, webex_client
from tests.support.webexsandbox import Sandbox
from tests.webexclient.jobrun import Outcome, Stop, run_job
from tests.webexclient.sandboxlogin import Login

SPACES, MESSAGES, PAGE = 8, 25, 10
HTML = {"body": "<html>Bad gateway</html>", "content_type": "text/html"}
LISTS = {"path": "/v1/messages"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(spaces=SPACES, messages=MESSAGES, seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.reset()
    return shared


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that nobody asked for are a tenth of what they are."""
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 10)


@pytest.fixture(scope="module")
def plain(shared: Sandbox) -> list[str]:
    """The spaces' lines when nothing goes wrong."""
    shared.reset()
    return listed(shared).spaces


def done(
    job: Callable[..., Any],
    sandbox: Sandbox,
    *,
    token: Any = "sandbox-token-ada",
    stop: Stop | None = None,
    options: dict[str, Any] | None = None,
    **params: Any,
) -> Outcome:
    timeouts = {"read_timeout": 0.5, "total_timeout": 10, **(options or {})}

    async def work(running: Callable[[], bool], **given: Any) -> None:
        access.set(WebexAccess(token, sandbox.api_url, timeouts))
        await job(running, **given)

    return run_job(work, stop or Stop(), **params)


def listed(sandbox: Sandbox, **options: Any) -> Outcome:
    return done(list_spaces, sandbox, page_size=PAGE, **options)


def a_room(sandbox: Sandbox) -> tuple[str, str]:
    """The id and the title of one of ada's rooms."""

    async def work() -> tuple[str, str]:
        access.set(WebexAccess("sandbox-token-ada", sandbox.api_url))
        async with webex_client() as api:
            rooms = await api.rooms.list().all()
            return rooms[3].id, rooms[3].title or ""

    return asyncio.run(work())


def test_all_spaces_are_listed(sandbox: Sandbox, plain: list[str]) -> None:
    assert len(plain) == SPACES
    outcome = listed(sandbox)
    assert outcome.spaces == plain
    assert outcome.lines[0] == f"{SPACES} spaces of Ada Example"
    assert f"{SPACES} of {SPACES} spaces: {SPACES * MESSAGES:,} messages" in outcome.lines[-1]


PASSING: dict[str, dict[str, Any]] = {
    "429 for a second": {"do": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "429 without a time": {"do": "status", "status": 429},
    "429 for no time": {"do": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "429 for less than no time": {"do": "status", "status": 429, "headers": {"Retry-After": "-1"}},
    "429 with garbage": {
        **{"do": "status", "status": 429},
        "headers": {"Retry-After": "rand(30),add(30)"},
    },
    "502 with HTML": {"do": "status", "status": 502, **HTML},
    "503 with HTML": {"do": "status", "status": 503, **HTML},
    "504 with HTML": {"do": "status", "status": 504, **HTML},
    "500": {"do": "status", "status": 500},
    "423": {"do": "status", "status": 423, "headers": {"Retry-After": "1"}},
    "dropped": {"do": "drop"},
    "dropped in the body": {"do": "drop", "when": "body"},
    "200 with HTML": {"do": "status", "status": 200, **HTML},
    "truncated": {"do": "truncate"},
    "without items": {"do": "without_items"},
    "late": {"do": "delay", "seconds": 0.3},
    "slow": {"do": "dribble", "seconds": 1.5, "pieces": 10},
    "hanging": {"do": "hang"},
    "empty page": {"do": "empty_page"},
}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/rooms"])
def test_what_passes_changes_nothing(
    sandbox: Sandbox, plain: list[str], name: str, path: str
) -> None:
    sandbox.faults({"match": {"path": path}, "times": 2, **PASSING[name]})
    outcome = listed(sandbox)
    assert outcome.spaces == plain
    assert outcome.sentence == ""


def test_a_date_as_retry_after_is_honoured(sandbox: Sandbox, plain: list[str]) -> None:
    began = time.monotonic()
    until = formatdate(time.time() + 3, usegmt=True)
    headers = {"Retry-After": until}
    sandbox.faults({"match": LISTS, "times": 3, "do": "status", "status": 429, "headers": headers})
    assert listed(sandbox).spaces == plain
    assert time.monotonic() - began > 1.5


def test_every_third_answer_may_be_a_rate_limit(sandbox: Sandbox, plain: list[str]) -> None:
    headers = {"Retry-After": "0"}
    sandbox.faults({"every": 3, "do": "status", "status": 429, "headers": headers})
    assert listed(sandbox).spaces == plain


LINKS: dict[str, dict[str, Any]] = {
    "to another server": {"next": "foreign"},
    "max=null": {"next": "max_null"},
    "in a loop": {"next": "loop"},
    "without beforeMessage": {"drop": "beforeMessage"},
    "without roomId": {"drop": "roomId"},
    "without max": {"drop": "max"},
}


@pytest.mark.parametrize("name", LINKS)
def test_bad_links_lose_nothing(sandbox: Sandbox, plain: list[str], name: str) -> None:
    with Sandbox(spaces=1, messages=1) as other:
        fault = {"do": "link", **LINKS[name]}
        if name == "to another server":
            fault["origin"] = other.url
        sandbox.faults({"match": LISTS, **fault})
        assert listed(sandbox).spaces == plain
        assert other.control()["requests"] == 0


def test_a_smaller_page_than_asked_for_is_taken(sandbox: Sandbox, plain: list[str]) -> None:
    sandbox.settings(max_clamp=3)
    assert listed(sandbox).spaces == plain


def test_a_deleted_message_under_the_link_loses_nothing(sandbox: Sandbox, plain: list[str]) -> None:
    room, _ = a_room(sandbox)
    sandbox.faults(
        {"match": {"path": "/v1/messages", "room": room}, "after": 1, "do": "vanish_message"}
    )
    assert listed(sandbox).spaces == plain
    asked = [entry["query"] for entry in sandbox.control()["log"] if entry["room"] == room]
    assert any("before" in query for query in asked)


def test_a_space_that_vanishes_in_between_is_partial(sandbox: Sandbox, plain: list[str]) -> None:
    room, title = a_room(sandbox)
    sandbox.faults(
        {"match": {"path": "/v1/messages", "room": room}, "after": 1, "do": "vanish_room"}
    )
    outcome = listed(sandbox)
    (line,) = set(outcome.spaces) - set(plain)
    assert line.startswith(f"{title}: only 10 messages, ")
    assert "could be read; vanished: 404 Not Found: Could not find a room" in line
    assert "(tracking id ROUTER_" in line
    assert f"{SPACES - 1} of {SPACES} spaces, 1 could not be read in full" in outcome.lines[-1]
    assert outcome.sentence == ""


LASTING: dict[str, tuple[dict[str, Any], str]] = {
    "403": ({"do": "status", "status": 403}, r"forbidden: 403 Forbidden: .*tracking id ROUTER_"),
    "404": ({"do": "status", "status": 404}, r"vanished: 404 Not Found: .*tracking id ROUTER_"),
    "429 for an hour": (
        {"do": "status", "status": 429, "headers": {"Retry-After": "3600"}},
        r"failed: 429 Too Many Requests: .*asks to wait 3,600 s",
    ),
    "429 for ever": (
        {"do": "status", "status": 429, "headers": {"Retry-After": "0"}},
        r"failed: 429 .*the call's time being over",
    ),
    "502": ({"do": "status", "status": 502, **HTML}, r"failed: 502 Bad Gateway: .*5 attempts"),
    "dropped": ({"do": "drop"}, r"failed: 127\.0\.0\.1: .*5 attempts"),
    "truncated": ({"do": "truncate"}, r"failed: 200 OK: not the JSON that was expected"),
    "without items": ({"do": "without_items"}, r"failed: 200 OK: .*`items`"),
    "hanging": ({"do": "hang"}, r"failed: 127\.0\.0\.1: no answer in time"),
    "dribbling": ({"do": "dribble", "seconds": 60, "pieces": 300}, r"failed: .*no answer in time"),
    "empty pages": ({"do": "empty_page"}, r"failed: 21 pages in a row are empty"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_said_on_the_line_of_its_space(
    sandbox: Sandbox, plain: list[str], name: str
) -> None:
    fault, said = LASTING[name]
    room, title = a_room(sandbox)
    sandbox.faults({"match": {"path": "/v1/messages", "room": room}, **fault})
    outcome = listed(sandbox, options={"total_timeout": 4})
    (line,) = set(outcome.spaces) - set(plain)
    assert line.startswith(f"{title}: ")
    assert re.search(said, line), line
    assert len(outcome.spaces) == SPACES
    assert outcome.sentence == ""


@pytest.mark.parametrize("path", ["/v1/people/me", "/v1/rooms"])
def test_without_the_list_of_spaces_it_ends_with_a_sentence(sandbox: Sandbox, path: str) -> None:
    sandbox.faults({"match": {"path": path}, "do": "status", "status": 503, **HTML})
    outcome = listed(sandbox, options={"total_timeout": 1})
    assert "503 Service Unavailable" in outcome.sentence
    assert outcome.spaces == []


def test_a_list_of_spaces_that_breaks_off_is_used_as_far_as_it_goes(
    sandbox: Sandbox, plain: list[str]
) -> None:
    sandbox.settings(max_clamp=3)
    sandbox.faults({"match": {"path": "/v1/rooms"}, "after": 1, "do": "status", "status": 400})
    outcome = listed(sandbox)
    assert outcome.lines[0].startswith("The list of spaces ends early: 400 Bad Request")
    assert len(outcome.spaces) == 3
    assert set(outcome.spaces) < set(plain)
    assert "there are more that could not be listed" in outcome.lines[-1]


def test_a_login_that_expires_in_mid_run_is_renewed_once(
    sandbox: Sandbox, plain: list[str]
) -> None:
    login = Login(sandbox)
    sandbox.faults({"match": LISTS, "after": 5, "times": 1, "do": "expire_tokens"})
    assert listed(sandbox, token=login).spaces == plain
    assert login.renewals == 1
    assert sandbox.control()["token_calls"] == 2  # the login itself, and one renewal


@pytest.mark.parametrize("mode", ["same", "rotate", "omit"])
def test_a_login_that_expires_again_and_again_goes_on(
    sandbox: Sandbox, plain: list[str], mode: str
) -> None:
    login = Login(sandbox)
    sandbox.settings(refresh_mode=mode)
    sandbox.faults({"match": LISTS, "every": 6, "times": 3, "do": "expire_tokens"})
    assert listed(sandbox, token=login, concurrency=2).spaces == plain
    assert login.renewals == 3


def test_a_good_token_that_is_refused_once_is_renewed(sandbox: Sandbox, plain: list[str]) -> None:
    login = Login(sandbox)
    sandbox.faults({"match": LISTS, "after": 2, "times": 1, "do": "status", "status": 401})
    assert listed(sandbox, token=login).spaces == plain
    assert login.renewals == 1


def test_a_login_that_was_revoked_ends_it_with_a_sentence(sandbox: Sandbox) -> None:
    login = Login(sandbox)
    sandbox.faults(
        {"match": LISTS, "after": 9, "do": "expire_tokens"},
        {"match": {"path": "/v1/access_token"}, "after": 1, "do": "status", "status": 400},
    )
    outcome = listed(sandbox, token=login)
    assert "The Webex login has ended" in outcome.sentence
    assert "Log in with Webex again" in outcome.sentence
    assert login.renewals == 1


def test_a_slow_renewal_serves_all_who_wait_for_it(sandbox: Sandbox) -> None:
    login = Login(sandbox)

    async def work() -> None:
        access.set(WebexAccess(login, sandbox.api_url))
        async with webex_client() as api:
            await api.people.me()
            sandbox.faults(
                {"match": {"path": "/v1/access_token"}, "do": "delay", "seconds": 1},
                {"match": {"path": "/v1/people/me"}, "times": 1, "do": "expire_tokens"},
            )
            await asyncio.gather(*(api.people.me() for _ in range(20)))

    asyncio.run(work())
    assert login.renewals == 1
    assert sandbox.control()["token_calls"] == 2


def test_a_login_without_a_scope_is_told_space_by_space(sandbox: Sandbox) -> None:
    outcome = listed(sandbox, token=Login(sandbox, scope="spark:rooms_read"))
    assert outcome.lines[0] == f"{SPACES} spaces"
    assert len(outcome.spaces) == SPACES
    assert all("forbidden: 403 Forbidden: " in line for line in outcome.spaces)
    assert "messages_read" in outcome.text
    none = listed(sandbox, token=Login(sandbox, scope="spark:people_read"))
    assert "rooms_read" in none.sentence
    assert "grant what is asked for" in none.sentence


def test_all_faults_at_once_change_nothing(sandbox: Sandbox, plain: list[str]) -> None:
    login = Login(sandbox)
    sandbox.faults(
        *(
            {"match": {"method": "GET"}, "after": index, "every": 9 + index, **fault}
            for index, fault in enumerate(PASSING.values())
        ),
        {"match": LISTS, "every": 20, "do": "expire_tokens"},
        {"match": LISTS, "every": 5, "do": "link", "next": "max_null"},
        {"match": LISTS, "every": 6, "do": "link", "drop": "roomId"},
    )
    outcome = listed(sandbox, token=login, options={"total_timeout": 30}, concurrency=4)
    assert outcome.spaces == plain


def test_no_more_requests_are_under_way_than_allowed(sandbox: Sandbox) -> None:
    sandbox.settings(latency=0.02)
    listed(sandbox, concurrency=3)
    assert sandbox.control()["most_in_flight"] == 3


@pytest.mark.parametrize("path", ["/v1/people/me", "/v1/rooms", "/v1/messages"])
@pytest.mark.parametrize(
    "fault",
    [
        {"do": "hang"},
        {"do": "dribble", "seconds": 60, "pieces": 300},
        {"do": "status", "status": 429, "headers": {"Retry-After": "60"}},
    ],
    ids=lambda fault: str(fault["do"]),
)
def test_stop_works_at_once(sandbox: Sandbox, path: str, fault: dict[str, Any]) -> None:
    sandbox.faults({"match": {"path": path}, **fault})
    stop = Stop()
    asked = 0

    def looks() -> bool:  # pressed while it waits for the fault
        nonlocal asked
        asked += 1
        if asked == 4:
            stop.press()
        return asked < 4

    stop.running = looks  # type: ignore[method-assign]
    outcome = listed(
        sandbox, stop=stop, options={"read_timeout": 60, "total_timeout": 300}, concurrency=4
    )
    assert stop.ago < 20
    assert "Stopped after" in outcome.text


def test_spaces_are_created_and_deleted(sandbox: Sandbox) -> None:
    members = ["ben@sandbox.example", "ada@sandbox.example"]
    created = done(create_spaces, sandbox, number=3, members=members, prefix="Trial ü")
    assert created.spaces == [f"Trial ü {n}: created, 2 members" for n in (1, 2, 3)]
    assert created.lines[-1] == "3 of 3 spaces created."
    assert len(listed(sandbox, token="sandbox-token-ben").spaces) == SPACES + 3

    shown = done(delete_spaces, sandbox, prefix="Trial ü")
    assert shown.spaces == [f"Trial ü {n}: would be deleted" for n in (1, 2, 3)]
    assert len(listed(sandbox).spaces) == SPACES + 3

    deleted = done(delete_spaces, sandbox, prefix="Trial ü", dry_run=False)
    assert deleted.lines[-1] == "3 of 3 spaces deleted."
    assert len(listed(sandbox).spaces) == SPACES


def test_creating_twice_is_never_the_answer_to_a_fault(sandbox: Sandbox) -> None:
    rooms = {"method": "POST", "path": "/v1/rooms"}
    sandbox.faults(
        {"match": rooms, "times": 1, "do": "drop", "when": "body"},
        {"match": rooms, "after": 1, "times": 1, "do": "truncate"},
        {"match": rooms, "after": 2, "times": 1, "do": "status", "status": 429},
    )
    outcome = done(create_spaces, sandbox, number=4, prefix="Once")
    unclear = [line for line in outcome.spaces if "may have been carried out" in line]
    assert len(unclear) == 2
    assert outcome.lines[-1] == "2 of 4 spaces created."
    found = done(delete_spaces, sandbox, prefix="Once")
    assert len(found.spaces) == 4  # those whose answers broke exist, once


def test_deletions_survive_faults(sandbox: Sandbox) -> None:
    done(create_spaces, sandbox, number=4, prefix="Gone")
    rooms = {"method": "DELETE", "path": "/v1/rooms/*"}
    sandbox.faults(
        {"match": rooms, "times": 1, "do": "drop"},
        {"match": rooms, "after": 2, "times": 1, "do": "status", "status": 502, **HTML},
        {"match": rooms, "after": 4, "times": 1, "do": "status", "status": 423},
    )
    outcome = done(delete_spaces, sandbox, prefix="Gone", dry_run=False)
    assert outcome.lines[-1] == "4 of 4 spaces deleted."
