"""Tokens: what an answer says, and how they are kept."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from app.login.tokens import TokenCipher, Tokens, TokensUnreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ANSWER = {
    "access_token": "invented-access",
    "expires_in": 3600,
    "refresh_token": "invented-refresh",
    "refresh_token_expires_in": 7200,
    "scope": "spark:all spark:kms",
}


def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    tokens = Tokens.from_answer(ANSWER, now=1000)
    assert not tokens.stale(1000 + 3539)
    assert tokens.stale(1000 + 3540)
    assert tokens.refresh_expires_at == 8200


@pytest.mark.parametrize(
    ("expires_in", "renew_at"),
    [
        (10, 5),
        ("100", 50),
        (0, 0),
        (1209599, 1209539),
        (None, None),
        ("soon", None),
        (-1, None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_lives_of_any_kind(expires_in: object, renew_at: float | None) -> None:
    tokens = Tokens.from_answer({**ANSWER, "expires_in": expires_in}, now=0)
    assert tokens.renew_at == renew_at
    assert tokens.stale(10**10) is (renew_at is not None)


def test_what_a_renewal_leaves_out_stays() -> None:
    before = Tokens.from_answer(ANSWER, now=0)
    after = Tokens.from_answer({"access_token": "b", "expires_in": 60}, 100, before)
    assert after.access_token == "b"
    assert after.refresh_token == "invented-refresh"
    assert after.refresh_expires_at == 7200
    assert after.scope == "spark:all spark:kms"
    rotated = Tokens.from_answer({"access_token": "c", "refresh_token": "d"}, 100, before)
    assert (rotated.refresh_token, rotated.refresh_expires_at) == ("d", None)


def test_scopes_that_were_not_granted() -> None:
    assert Tokens.from_answer(ANSWER, 0).lacks("spark:kms spark:all") == []
    assert Tokens.from_answer({**ANSWER, "scope": "spark:kms"}, 0).lacks("spark:kms spark:all") == [
        "spark:all"
    ]
    assert Tokens.from_answer({"access_token": "a"}, 0).lacks("spark:all") == []


def test_no_text_of_tokens_shows_them() -> None:
    assert "invented-" not in repr(Tokens.from_answer(ANSWER, 0))


def test_sealed_tokens_are_unreadable_and_of_one_user_and_issuer() -> None:
    tokens = Tokens.from_answer(ANSWER, 0)
    cipher = TokenCipher([NEW])
    sealed = cipher.seal("ada", "https://webex.example", tokens)
    assert b"invented" not in sealed
    assert cipher.open("ada", "https://webex.example", sealed) == tokens
    for user, issuer in [("ben", "https://webex.example"), ("ada", "http://sandbox")]:
        with pytest.raises(TokensUnreadable, match="another login"):
            cipher.open(user, issuer, sealed)
    with pytest.raises(TokensUnreadable, match="no key"):
        TokenCipher([OLD]).open("ada", "https://webex.example", sealed)


def test_keys_are_replaced_by_putting_a_new_one_in_front() -> None:
    tokens = Tokens.from_answer(ANSWER, 0)
    sealed = TokenCipher([OLD]).seal("ada", "i", tokens)
    both = TokenCipher([NEW, OLD])
    assert both.open("ada", "i", sealed) == tokens
    assert TokenCipher([NEW]).open("ada", "i", both.seal("ada", "i", tokens)) == tokens
