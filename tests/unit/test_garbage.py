"""Full collections look at what is new; at everything from time to time."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from flask_realtime.server.garbage import WHOLE_SECONDS, Collections, short_collections


class Node:
    """Garbage that only a collection finds, once it refers to itself."""

    def __init__(self) -> None:
        self.itself: Node | None = None


def forgotten() -> weakref.ref[Node]:
    node = Node()
    node.itself = node
    return weakref.ref(node)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Of collections that are short while the test runs."""
    made = Clock()
    told = Collections(made).told
    gc.callbacks.append(told)
    try:
        yield made
    finally:
        gc.callbacks.remove(told)
        gc.unfreeze()


def test_garbage_is_found_as_ever(clock: Clock) -> None:
    for _ in range(2):
        node = forgotten()
        gc.collect()
        assert node() is None


def test_what_has_lived_through_one_is_not_looked_at_by_the_next(clock: Clock) -> None:
    kept = [Node() for _ in range(1000)]
    gc.collect()
    assert gc.get_freeze_count() >= len(kept)
    assert not any(isinstance(each, Node) for each in gc.get_objects())


def test_garbage_among_it_is_found_when_everything_is_looked_at(clock: Clock) -> None:
    node = Node()
    node.itself = node
    found = weakref.ref(node)
    gc.collect()
    del node
    clock.now += WHOLE_SECONDS - 1
    gc.collect()
    assert found() is not None
    clock.now += 1
    gc.collect()
    assert found() is None


def test_a_collection_of_what_is_young_freezes_nothing(clock: Clock) -> None:
    before = gc.get_freeze_count()
    kept = Node()
    gc.collect(1)
    assert gc.get_freeze_count() == before
    assert kept is not None


def test_after_it_all_is_as_it_was() -> None:
    callbacks, threshold = list(gc.callbacks), gc.get_threshold()
    with short_collections():
        assert gc.get_freeze_count()
        assert gc.get_threshold() != threshold
    assert (gc.callbacks, gc.get_threshold()) == (callbacks, threshold)
    assert not gc.get_freeze_count()
