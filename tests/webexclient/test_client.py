"""The client against a server that answers well, badly, late and never."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
from aiohttp import web

from app import webexteamsasyncapi
from app.webex import retry
from app.webex.errors import (
    BadAnswer,
    LoginExpired,
    NotFound,
    RateLimited,
    ServerFault,
    Unreachable,
    Untrusted,
    WebexError,
)
from app.webexteamsasyncapi import WebexTeamsAsyncAPI
from tests.webexclient.fakewebex import FakeWebex, Seen, drop, json, refusal, run, script
from tests.webexclient.test_token import Source

ADA = json({"id": "p1", "displayName": "Ada Example", "emails": ["ada@sandbox.example"], "new": 1})
HTML = web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that nobody asked for are a tenth of what they are."""
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 10)


def call(
    server: FakeWebex, work: Callable[[WebexTeamsAsyncAPI], object], **options: object
) -> list[Seen]:
    """Do `work(api)` against `server`; what the server saw."""

    async def inner() -> list[Seen]:
        async with server, server.client(**options) as api:
            await work(api)  # type: ignore[misc]
        return server.seen

    return run(inner())


async def me(api: WebexTeamsAsyncAPI) -> None:
    assert (await api.people.me()).display_name == "Ada Example"


def test_a_call_carries_the_token_and_its_answer_may_have_unknown_fields() -> None:
    (seen,) = call(FakeWebex(script(ADA)), me)
    assert (seen.method, seen.path, seen.token) == ("GET", "people/me", "token-1")


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, Retry_After="0"),
        refusal(429),
        refusal(429, Retry_After="-5"),
        refusal(429, Retry_After="rand(30),add(30)"),
        refusal(423),
        refusal(500),
        HTML,
        web.Response(status=503),
        web.Response(status=504, text="\xff"),
        web.Response(text="<html>Welcome</html>", content_type="text/html"),
        web.Response(text='{"id": "p1", "disp', content_type="application/json"),
        web.Response(text="{}", content_type="application/json"),
        ConnectionError(),
    ],
    ids=str,
)
def test_a_fault_that_passes_is_not_noticed(fault: web.Response | Exception) -> None:
    seen = call(FakeWebex(script(fault, fault, ADA)), me)
    assert len(seen) >= 3


def test_retry_after_is_honoured_in_seconds_and_as_a_date() -> None:
    first, second = call(FakeWebex(script(refusal(429, Retry_After="1"), ADA)), me)
    assert 1 <= second.time - first.time < 30
    # The server's clock is an hour ahead: its own Date counts, not ours.
    ahead = time.time() + 3600
    dated = refusal(
        503, Date=formatdate(ahead, usegmt=True), Retry_After=formatdate(ahead + 1, usegmt=True)
    )
    first, second = call(FakeWebex(script(dated, ADA)), me)
    assert 1 <= second.time - first.time < 30


def test_a_retry_after_beyond_the_calls_time_is_told_at_once() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        began = time.monotonic()
        with pytest.raises(RateLimited, match="3,600 s") as caught:
            await api.people.me()
        assert time.monotonic() - began < 30
        assert caught.value.retry_after == 3600
        assert caught.value.tracking_id == "ROUTER_1-2"

    assert len(call(FakeWebex(script(refusal(429, Retry_After="3600"))), work)) == 1


def test_rate_limits_without_end_are_ended_by_the_calls_time() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        began = time.monotonic()
        with pytest.raises(RateLimited, match="time being over"):
            await api.people.me()
        assert time.monotonic() - began < 30

    call(FakeWebex(script(refusal(429, Retry_After="0"))), work, total_timeout=1.5)


def test_a_lasting_fault_is_told_with_its_tracking_id() -> None:
    fault = web.Response(status=500, text="<html>", headers={"TrackingID": "ROUTER_9"})

    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(ServerFault, match="5 attempts") as caught:
            await api.people.me()
        assert caught.value.tracking_id == "ROUTER_9"

    assert len(call(FakeWebex(script(fault)), work)) == 5


def test_nothing_of_an_answer_that_is_final_is_repeated() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(NotFound, match=r"404 Not Found: Gone\. \(tracking id ROUTER_1-2\)"):
            await api.rooms.get("r")

    assert len(call(FakeWebex(script(refusal(404, "Gone."))), work)) == 1


def test_a_slot_is_free_while_its_call_waits_to_be_repeated() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/slow") and not slow:
            slow.append(request)
            return refusal(429, Retry_After="1")
        return json({"id": "r"})

    slow: list[web.Request] = []

    async def work(api: WebexTeamsAsyncAPI) -> None:
        waiting = asyncio.create_task(api.rooms.get("slow"))
        while not slow:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(api.rooms.get("quick"), 0.5)
        assert not waiting.done()
        await waiting

    call(FakeWebex(handler), work, concurrency=1)


def test_no_more_requests_are_under_way_than_allowed() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.02)
        return json({"id": "r"})

    server = FakeWebex(handler)

    async def work(api: WebexTeamsAsyncAPI) -> None:
        await asyncio.gather(*(api.rooms.get(str(number)) for number in range(30)))

    call(server, work, concurrency=4)
    assert server.most_in_flight == 4


async def never(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return ADA


async def dribble(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


def test_a_server_that_hangs_is_asked_again() -> None:
    call(FakeWebex(script(never, ADA)), me, read_timeout=0.2)


def test_a_server_that_hangs_for_ever_ends_with_the_calls_time() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            await api.people.me()
        assert time.monotonic() - began < 30

    call(FakeWebex(never), work, read_timeout=0.2, total_timeout=1)
    call(FakeWebex(dribble), work, read_timeout=0.5, total_timeout=1)


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id": "p')
    return drop(request)


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    assert len(call(FakeWebex(script(cut, cut, ADA)), me)) == 3


def test_an_answer_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webexteamsasyncapi, "MAX_BODY", 1 << 20)

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(BadAnswer, match="more than 1,048,576 bytes"):
            await api.people.me()

    call(FakeWebex(flood), work)


def test_a_post_that_may_have_arrived_is_not_sent_again() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(WebexError, match="may have been carried out"):
            await api.rooms.create("Trial")

    for fault in (HTML, web.Response(text="<html>"), ConnectionError(), cut):
        assert len(call(FakeWebex(script(fault)), work)) == 1


def test_a_post_that_was_turned_away_is_sent_again() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        assert (await api.rooms.create("Trial")).id == "r"

    faults = (refusal(429), refusal(423), refusal(503, Retry_After="0"))
    seen = call(FakeWebex(script(*faults, json({"id": "r"}))), work)
    assert [each.body for each in seen] == [b'{"title":"Trial"}'] * 4


def test_a_deletion_whose_answer_was_lost_counts_as_done() -> None:
    async def work(api: WebexTeamsAsyncAPI) -> None:
        await api.rooms.delete("r")

    gone = refusal(404)
    assert len(call(FakeWebex(script(HTML, gone)), work)) == 2

    async def fails(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(NotFound):
            await api.rooms.delete("r")

    assert len(call(FakeWebex(script(refusal(429), gone)), fails)) == 2


def test_nobody_at_home_is_told_and_a_post_may_be_repeated() -> None:
    async def work() -> None:
        async with FakeWebex(never) as server:
            url = server.url
        async with WebexTeamsAsyncAPI("token-1", base_url=url, total_timeout=2) as api:
            with pytest.raises(Unreachable) as caught:
                await api.rooms.create("Trial")
        assert caught.value.unsent
        assert "may have been" not in str(caught.value)

    run(work())


def test_redirects_are_not_followed() -> None:
    async def work() -> None:
        async with FakeWebex(script(ADA)) as other:
            moved = web.Response(status=302, headers={"Location": other.url})
            async with FakeWebex(script(moved)) as server, server.client() as api:
                with pytest.raises(BadAnswer, match="redirects are not followed"):
                    await api.people.me()
                assert len(server.seen) == 1
            assert other.seen == []

    run(work())


def test_a_token_refused_in_mid_run_is_renewed_once_for_all_calls() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        if request.headers["Authorization"] == "Bearer t1":
            return refusal(401)
        return json({"id": "r"})

    source = Source()

    async def work(api: WebexTeamsAsyncAPI) -> None:
        await asyncio.gather(*(api.rooms.get(str(number)) for number in range(20)))

    seen = call(FakeWebex(handler), work, token=source, concurrency=20)
    assert source.renewals == ["t1"]
    assert [each.token for each in seen] == ["t1"] * 20 + ["t2"] * 20


def test_a_token_that_stays_refused_ends_the_call() -> None:
    source = Source()

    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(LoginExpired, match="ROUTER_1-2"):
            await api.people.me()

    seen = call(FakeWebex(script(refusal(401))), work, token=source)
    assert [each.token for each in seen] == ["t1", "t2"]


def test_a_token_that_expires_twice_during_one_call_is_renewed_twice() -> None:
    source = Source()
    seen = call(FakeWebex(script(refusal(401), refusal(503), refusal(401), ADA)), me, token=source)
    assert [each.token for each in seen] == ["t1", "t2", "t2", "t3"]


def test_a_renewal_that_hangs_is_ended_by_the_calls_time() -> None:
    source = Source()

    async def work(api: WebexTeamsAsyncAPI) -> None:
        source.may_answer.clear()
        with pytest.raises(Unreachable, match="login service"):
            await api.people.me()

    call(FakeWebex(script(refusal(401))), work, token=source, total_timeout=0.3)


def test_no_error_shows_the_token() -> None:
    echo = refusal(400, "The token token-1 is odd.")

    async def work(api: WebexTeamsAsyncAPI) -> None:
        with pytest.raises(WebexError) as caught:
            await api.people.me()
        assert "token-1" not in str(caught.value) + repr(caught.value)

    call(FakeWebex(script(echo)), work)


def test_a_false_certificate_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"),
            *("-subj", "/CN=localhost"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    async def work() -> None:
        async with FakeWebex(script(ADA)) as server:
            site = web.TCPSite(server.runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            port = server.runner.addresses[1][1]
            base_url = f"https://localhost:{port}/v1/"
            async with WebexTeamsAsyncAPI("token-1", base_url=base_url) as api:
                with pytest.raises(Untrusted, match="did not prove who it is"):
                    await api.people.me()
            assert server.seen == []

    run(work())


def test_it_must_be_opened_and_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        run(WebexTeamsAsyncAPI("token-1").people.me())


@pytest.mark.parametrize("url", ["", "webexapis.com/v1", "ftp://host/v1/", "/v1/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        WebexTeamsAsyncAPI("token-1", base_url=url)
