from __future__ import annotations

import pytest

from flask_realtime.proxy.errors import BadRequest
from flask_realtime.proxy.headers import HeaderRules, Headers, Visit
from flask_realtime.proxy.paths import PathMap

VISIT = Visit("site.test", "https", "192.0.2.7", "/root")
STRIPPED = HeaderRules(
    PathMap("/app", ""), "127.0.0.1:5101", cookies=frozenset({"session", "remember_token"})
)
WHOLE = HeaderRules(PathMap("/app", "/app"), "127.0.0.1:5101")


def sent(*headers: tuple[str, str]) -> Headers:
    return STRIPPED.request(headers, VISIT)


def returned(*headers: tuple[str, str], rules: HeaderRules = STRIPPED) -> Headers:
    return rules.response(headers, VISIT)


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
        "Forwarded",
        "Proxy",
        "X-Real-IP",
        "X-Forwarded-Server",
        "X_Forwarded_For",
        "Content_Length",
        "Bad Name",
    ],
)
def test_what_is_between_two_neighbours_or_forged_is_not_passed_on(name: str) -> None:
    assert name.lower() not in {key.lower() for key, _ in sent((name, "x"))}


def test_what_connection_names_is_not_passed_on() -> None:
    headers = [("Connection", "close, X-Secret"), ("X-Secret", "1"), ("X-Other", "2")]
    assert ("X-Other", "2") in sent(*headers)
    assert "X-Secret" not in dict(sent(*headers))
    assert "X-Secret" not in dict(returned(*headers))


def test_the_upstream_is_told_who_asks_by_what_name() -> None:
    found = sent(("X-Forwarded-For", "198.51.100.1"), ("x-forwarded-host", "evil.test"))
    assert [each for each in found if each[0].startswith("X-Forwarded")] == [
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Host", "site.test"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/root/app"),
    ]
    assert found[0] == ("Host", "site.test")


def test_cookies_of_the_parent_stay_with_it() -> None:
    cookie = "a=1; session=secret; b=x=y; remember_token=secret; proxied.session=theirs"
    assert ("Cookie", "a=1; b=x=y; session=theirs") in sent(("Cookie", cookie))
    assert "Cookie" not in dict(sent(("Cookie", "session=secret")))


@pytest.mark.parametrize("value", ["a\r\n b", "a\nb", "a\0b"])
def test_a_folded_header_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        sent(("X-A", value))


@pytest.mark.parametrize(
    ("upstreams", "public"),
    [
        ("/next?a=/b#c", "/root/app/next?a=/b#c"),
        ("/", "/root/app/"),
        ("http://127.0.0.1:5101/next", "/root/app/next"),
        ("http://127.0.0.1:5101", "/root/app/"),
        ("http://site.test/next", "/root/app/next"),
        ("https://site.test/root/app/next", "/root/app/next"),
        ("next", "next"),
        ("?page=2", "?page=2"),
        ("//other.test/x", "//other.test/x"),
        ("https://other.test/x", "https://other.test/x"),
        ("http://127.0.0.1:5102/x", "http://127.0.0.1:5102/x"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_only_addresses_of_the_upstream_are_mapped(upstreams: str, public: str) -> None:
    assert returned(("Location", upstreams)) == [("Location", public)]


def test_a_prefix_is_not_doubled() -> None:
    headers = returned(("Location", "/app/next"), ("Location", "/elsewhere"), rules=WHOLE)
    assert headers == [("Location", "/root/app/next"), ("Location", "/elsewhere")]


@pytest.mark.parametrize(
    ("upstreams", "public"),
    [
        ("a=1", "a=1; Path=/root/app"),
        ("a=1; Path=/; HttpOnly", "a=1; HttpOnly; Path=/root/app/"),
        ("a=1; Path=/x; Domain=test; Secure", "a=1; Secure; Path=/root/app/x"),
        ("a=1; domain=.test; SameSite=Lax", "a=1; SameSite=Lax; Path=/root/app"),
        ("session=1; Path=/", "proxied.session=1; Path=/root/app/"),
        ("__Host-a=1; Secure; Path=/", "proxied.__Host-a=1; Secure; Path=/root/app/"),
        ("proxied.session=1", "proxied.proxied.session=1; Path=/root/app"),
        ("session=secret", "proxied.session=secret; Path=/root/app"),
    ],
)
def test_cookies_are_bound_to_the_prefix(upstreams: str, public: str) -> None:
    assert returned(("Set-Cookie", upstreams)) == [("Set-Cookie", public)]


def test_each_of_several_cookies_is_kept_and_nameless_ones_are_not() -> None:
    headers = returned(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Set-Cookie", "=session=x"))
    assert [value.split(";")[0] for _, value in headers] == ["a=1", "b=2"]


def test_a_cookie_for_all_paths_of_an_unstripped_app_is_bound_to_it() -> None:
    assert returned(("Set-Cookie", "a=1; Path=/"), rules=WHOLE) == [
        ("Set-Cookie", "a=1; Path=/root/app")
    ]


def test_a_service_worker_gets_no_more_than_the_prefix() -> None:
    name = "Service-Worker-Allowed"
    assert returned((name, "/")) == [(name, "/root/app/")]
    assert returned((name, "/"), rules=WHOLE) == []
    assert returned((name, "/app/x"), rules=WHOLE) == [(name, "/root/app/x")]
    assert returned((name, "https://other.test/")) == []


def test_what_a_web_server_in_front_would_obey_is_not_returned() -> None:
    assert returned(("X-Accel-Redirect", "/secret"), ("Alt-Svc", "h3"), ("ETag", "x")) == [
        ("ETag", "x")
    ]
