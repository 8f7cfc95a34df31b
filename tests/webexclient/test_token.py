"""One renewal for all, however many calls were refused."""

from __future__ import annotations

import asyncio

import pytest

from app.webex.errors import LoginExpired
from app.webex.token import CurrentToken, FixedToken
from tests.webexclient.fakewebex import run


class Source:
    """Hands out t1, t2, ...; `fault` is raised by the next renewal instead."""

    def __init__(self) -> None:
        self.number = 1
        self.renewals: list[str] = []
        self.fault: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def access_token(self) -> str:
        return f"t{self.number}"

    async def renewed(self, refused: str) -> str:
        self.renewals.append(refused)
        await self.may_answer.wait()
        if self.fault is not None:
            raise self.fault
        self.number += 1
        return f"t{self.number}"


def test_a_hundred_refusals_cause_one_renewal() -> None:
    async def work() -> None:
        source = Source()
        token = CurrentToken(source)
        assert await token.get() == "t1"
        found = await asyncio.gather(*(token.renew("t1") for _ in range(100)))
        assert found == ["t2"] * 100
        assert await token.renew("t1") == "t2"  # a late one finds it done
        assert source.renewals == ["t1"]

    run(work())


def test_who_asks_while_it_is_renewed_gets_the_new_one() -> None:
    async def work() -> None:
        source = Source()
        token = CurrentToken(source)
        await token.get()
        source.may_answer.clear()
        renewing = asyncio.create_task(token.renew("t1"))
        await asyncio.sleep(0)
        asking = asyncio.create_task(token.get())
        await asyncio.sleep(0)
        assert not asking.done()
        source.may_answer.set()
        assert await asking == await renewing == "t2"

    run(work())


def test_a_caller_that_is_cancelled_leaves_the_renewal_to_the_others() -> None:
    async def work() -> None:
        source = Source()
        token = CurrentToken(source)
        await token.get()
        source.may_answer.clear()
        first, second = (asyncio.create_task(token.renew("t1")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        source.may_answer.set()
        assert await second == "t2"
        assert source.renewals == ["t1"]

    run(work())


def test_a_login_that_is_over_is_asked_for_once() -> None:
    async def work() -> None:
        source = Source()
        source.fault = LoginExpired("revoked")
        token = CurrentToken(source)
        await token.get()
        found = await asyncio.gather(
            *(token.renew("t1") for _ in range(20)), return_exceptions=True
        )
        assert {str(error) for error in found} == {"revoked"}
        with pytest.raises(LoginExpired, match="revoked"):
            await token.renew("t1")
        assert source.renewals == ["t1"]

    run(work())


def test_another_fault_of_the_renewal_may_pass() -> None:
    async def work() -> None:
        source = Source()
        source.fault = ConnectionError("redis is away")
        token = CurrentToken(source)
        await token.get()
        with pytest.raises(ConnectionError):
            await token.renew("t1")
        source.fault = None
        assert await token.renew("t1") == "t2"

    run(work())


def test_a_renewal_that_brings_the_same_token_is_the_end() -> None:
    class Same(Source):
        async def renewed(self, refused: str) -> str:
            return refused

    async def work() -> None:
        token = CurrentToken(Same())
        await token.get()
        with pytest.raises(LoginExpired):
            await token.renew("t1")

    run(work())


def test_closing_gives_up_a_renewal() -> None:
    async def work() -> None:
        source = Source()
        token = CurrentToken(source)
        await token.get()
        source.may_answer.clear()
        waiting = asyncio.create_task(token.renew("t1"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await token.close()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    run(work())


def test_a_fixed_token_cannot_be_renewed() -> None:
    async def work() -> None:
        token = CurrentToken(FixedToken("secret-1"))
        assert await token.get() == "secret-1"
        with pytest.raises(LoginExpired) as caught:
            await token.renew("secret-1")
        assert "secret" not in str(caught.value)

    run(work())


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Evil: 1", "tokén"])
def test_what_cannot_be_a_token_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="access token") as caught:
        FixedToken(token)
    assert not token or token not in str(caught.value)
