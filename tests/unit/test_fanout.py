"""The manager of Socket.IO's clients: who leaves."""

from __future__ import annotations

from typing import Any

import pytest
import socketio

from flask_realtime import host
from flask_realtime.watching.fanout import FanoutManager

CLIENTS = 5


class Unsearchable(dict[Any, Any]):
    """Rooms that can be asked for, but not looked through."""

    def copy(self) -> Any:
        raise AssertionError("all rooms were looked through")

    items = values = keys = __iter__ = copy


@pytest.fixture
def manager() -> FanoutManager:
    made = FanoutManager()
    socketio.Server(client_manager=made, async_mode=host.ASYNC_MODE)
    return made


def connect(manager: FanoutManager, number: int) -> str:
    client: str = manager.connect(f"eio{number}", "/")
    manager.enter_room(client, "/", "user:one")
    return client


def test_who_leaves_is_in_no_room_and_the_others_stay(manager: FanoutManager) -> None:
    clients = [connect(manager, number) for number in range(CLIENTS)]
    manager.callbacks[clients[0]] = {}
    manager.pre_disconnect(clients[0], "/")
    manager.disconnect(clients[0], "/")
    assert manager.get_rooms(clients[0], "/") == []
    assert not manager.is_connected(clients[0], "/")
    assert (manager.callbacks, manager.pending_disconnect) == ({}, {})
    assert {sid for sid, _ in manager.get_participants("/", "user:one")} == set(clients[1:])
    for client in clients[1:]:
        manager.disconnect(client, "/")
    assert manager.rooms == {}


def test_who_leaves_is_not_looked_for_in_the_rooms_of_others(manager: FanoutManager) -> None:
    clients = [connect(manager, number) for number in range(CLIENTS)]
    manager.rooms["/"] = Unsearchable(manager.rooms["/"])
    for client in clients:
        manager.pre_disconnect(client, "/")
        manager.disconnect(client, "/")
    assert manager.rooms == {}


def test_who_leaves_before_being_let_in_is_forgotten(manager: FanoutManager) -> None:
    client = manager.pre_connect("eio", "/")
    assert client is not None
    manager.disconnect(client, "/")
    assert (manager.rooms, manager.pending_connect) == ({}, {})
    assert not manager.is_pre_connected(client, "/")


def test_who_left_a_room_may_leave_for_good(manager: FanoutManager) -> None:
    client = connect(manager, 0)
    manager.leave_room(client, "/", "user:one")
    manager.disconnect(client, "/")
    assert manager.rooms == {}
