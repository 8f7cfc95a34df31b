from __future__ import annotations

import pytest

from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.errors import BadRequest
from flask_realtime.proxy.paths import PathMap, checked_path, checked_prefix, checked_query


@pytest.mark.parametrize(
    "path",
    [
        "/a/../b",
        "/a/..",
        "/./a",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/a%2f..%2fb",
        "/a/..;x=1/b",
        "/a/..%3Bx/b",
        "/a\\b",
        "/a%5cb",
        "/a%0d%0aHost:%20b",
        "/a%00",
        "/a\tb",
        "/a%7f",
    ],
)
def test_a_path_that_plays_tricks_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        checked_path(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/a//b", "/a%2Fb", "/a/...", "/a/..b", "/.well-known/x", "/%C3%A9", "/a%252e%252e"],
)
def test_any_other_path_stays_as_it_was_sent(path: str) -> None:
    assert checked_path(path) == path


def test_bytes_beyond_ascii_are_encoded() -> None:
    assert checked_path("/\xc3\xa9") == "/%C3%A9"
    assert checked_query("a=\xc3\xa9&b=%20[]") == "a=%C3%A9&b=%20[]"


def test_a_query_may_hold_what_a_path_may_not() -> None:
    assert checked_query("a=../x&b=\\") == "a=../x&b=\\"


@pytest.mark.parametrize("query", ["a=\r", "a=\n", "a=\x00"])
def test_a_query_with_control_characters_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        checked_query(query)


@pytest.mark.parametrize(
    ("paths", "public", "upstream"),
    [
        (PathMap("/bokeh", "/bokeh"), "/bokeh/app", "/bokeh/app"),
        (PathMap("/bokeh", "/bokeh"), "/bokeh", "/bokeh"),
        (PathMap("/app", ""), "/app/x", "/x"),
        (PathMap("/app", ""), "/app/", "/"),
        (PathMap("/app", "/sub/app"), "/app/x", "/sub/app/x"),
        (PathMap("", ""), "/x", "/x"),
        (PathMap("/flexx", "", ("/flexx/ws/",)), "/flexx/ws/app", "/flexx/ws/app"),
        (PathMap("/flexx", "", ("/flexx/ws/",)), "/flexx/app/", "/app/"),
    ],
)
def test_paths_are_mapped_both_ways(paths: PathMap, public: str, upstream: str) -> None:
    assert paths.holds(public)
    assert paths.to_upstream(public) == upstream
    assert paths.to_public(upstream, "/root") == "/root" + public


def test_a_prefix_ends_at_a_slash() -> None:
    assert not PathMap("/app", "").holds("/apple")
    assert not PathMap("/app", "").holds("http://other/app")


@pytest.mark.parametrize("prefix", ["app", "", "/a/../b", "/a\\b"])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="is no prefix"):
        checked_prefix(prefix)
