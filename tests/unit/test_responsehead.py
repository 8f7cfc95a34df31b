"""The head of an answer: what is the server's, and what cannot be sent."""

from __future__ import annotations

import pytest

from flask_realtime.server.responsehead import ResponseHead


def test_a_head_that_is_checked_leaves_all_that_is_not_the_servers() -> None:
    head = ResponseHead(
        "426 Upgrade Required",
        [
            ("connection", "Upgrade, close"),
            ("Upgrade", "websocket"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=\xe4"),
            ("X-Empty", ""),
            ("CONTENT-LENGTH", " 7 "),
            ("content-length", "7"),
        ],
    )
    assert [name for name, _ in head.fields] == ["Upgrade", "Set-Cookie", "Set-Cookie", "X-Empty"]
    assert (head.options, head.closes, head.length) == (["Upgrade"], True, 7)
    assert not head.has_date
    assert ResponseHead("200", [("dAtE", "x")]).status == "200 "


@pytest.mark.parametrize("status", ["", "20", "2000 x", "199 x", "abc", "200\tx", " 200", "200 \0"])
def test_what_is_no_status_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="is no status"):
        ResponseHead(status, [])


def test_a_value_that_is_refused_is_not_shown() -> None:
    with pytest.raises(ValueError, match="the header Set-Cookie has a character") as caught:
        ResponseHead("200 OK", [("Set-Cookie", "token=secret\r\n")])
    assert "secret" not in str(caught.value)
