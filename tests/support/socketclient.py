"""A Socket.IO client for tests."""

from __future__ import annotations

from typing import Any

import socketio
from engineio.payload import Payload


def ordered_client() -> socketio.Client:
    """A client that handles messages in the order of their arrival.

    python-socketio gives each message a thread of its own, and under load a binary attachment may
    overtake the event that announces it.
    """
    # By polling, one response may bring more than the 16 packets of the default (docs/protocol.md).
    Payload.max_decode_packets = 10_000
    client = socketio.Client(reconnection=False)
    trigger = client.eio._trigger_event

    def in_order(event: str, *args: Any, **options: Any) -> Any:
        if event == "message":
            options["run_async"] = False
        return trigger(event, *args, **options)

    client.eio._trigger_event = in_order
    return client
