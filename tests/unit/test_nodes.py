"""Web nodes over one Redis know of each other, and warn when their keys are not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

from flask_realtime.nodes import signs
from flask_realtime.nodes.nodes import Nodes
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from tests.support.hub import until


@contextmanager
def node(
    store: Store, name: str, prints: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Nodes]:
    made = Nodes(store, name, prints or {})
    made.start()
    until(lambda: store.call(lambda client: client.hexists(keys.NODES, name)))
    try:
        yield made
    finally:
        made.leave()


def test_a_node_that_leaves_is_told_whether_others_serve(store: Store) -> None:
    with node(store, "one") as one, node(store, "two") as two:
        assert one.leave()
        assert not two.leave()
    assert not store.call(lambda client: client.exists(keys.NODES))


def test_a_node_without_a_sign_of_life_does_not_count(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(store, "one") as one:
        store.call(lambda client: client.hset(keys.NODES, "dead", '5 {"host": "x", "keys": {}}'))
        assert not one.leave()


@pytest.mark.parametrize(
    ("mine", "theirs", "is_told"),
    [
        (["a"], ["a"], False),
        (["a"], ["b"], True),
        (["b", "a"], ["a", "b"], False),  # in the middle of a rotation
        (["b", "a"], ["a"], True),  # there nobody can read what is sealed here
        (["a"], ["b", "a"], True),
    ],
)
def test_other_keys_are_told_once(
    store: Store,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    mine: list[str],
    theirs: list[str],
    is_told: bool,
) -> None:
    monkeypatch.setattr(signs, "BEAT_SECONDS", 0.01)
    with node(store, "one", {"KEYS": theirs, "OWN": ["z"]}):
        caplog.clear()
        compared: list[str] = []
        with node(store, "two", {"KEYS": mine}) as two:
            compare = two._compare
            monkeypatch.setattr(
                two, "_compare", lambda *said: (compare(*said), compared.append(said[0]))
            )
            until(lambda: len(compared) > 3)
            told = [each for each in caplog.records if "two" not in each.getMessage()]
    assert [each.getMessage().startswith("KEYS is not the same") for each in told] == [
        True
    ] * is_told
