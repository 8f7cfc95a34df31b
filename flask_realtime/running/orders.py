"""What a worker needs to run a job: its parameters as they are, secrets included.

A record shows a secret as ``***``. The order of a run has it, lies in Redis beside the record, and
is sealed with keys that the web nodes and the workers share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from redis import Redis

from flask_realtime.errors import ConfigurationError, RealtimeError
from flask_realtime.store.keys import order as order_key
from flask_realtime.store.store import Store

KEPT_SECONDS = 30 * 86_400  # until the run has ended, and no longer than this


class OrderLost(RealtimeError):
    """There is no order any more, or no key of ours opens it."""

    code = "order_lost"
    status = 500


class Orders:
    """Keeps orders from the start of a run until its end. For greenlets of the hub's thread.

    `keys` are Fernet keys: all of them open, the first one seals. Raises ConfigurationError for
    what is no such key.
    """

    def __init__(self, store: Store, keys: Sequence[str]) -> None:
        self._store = store
        try:
            self._sealer = MultiFernet([Fernet(key) for key in keys]) if keys else None
        except ValueError as error:
            raise ConfigurationError(f"sealing_keys: one is no Fernet key: {error}") from None

    def check(self) -> None:
        """Raise ConfigurationError unless there is a key."""
        if self._sealer is None:
            raise ConfigurationError(
                "sealing_keys: runs on workers need a key that the web nodes and the workers share"
            )

    def put(self, run: str, params: dict[str, Any]) -> None:
        """Store what `Job.wire` returned. Raises StoreUnavailable."""
        assert self._sealer is not None
        text = json.dumps({"run": run, "params": params}, separators=(",", ":"))
        sealed = self._sealer.encrypt(text.encode())
        self._store.call(lambda client: client.set(order_key(run), sealed, ex=KEPT_SECONDS))

    def get(self, run: str) -> dict[str, Any]:
        """Return what `put` stored. Raises OrderLost and StoreUnavailable."""
        sealed: Any = self._store.read(partial(_get, run=run))
        if sealed is None:
            raise OrderLost("its parameters are no longer there: start it again")
        if self._sealer is None:
            raise OrderLost("this worker has no key to open its parameters")
        try:
            order = json.loads(self._sealer.decrypt(sealed))
        except InvalidToken:
            raise OrderLost(
                "its parameters were sealed with a key that this worker does not have: "
                "give the web nodes and the workers the same keys"
            ) from None
        if order["run"] != run:
            raise OrderLost("its parameters are those of another run")
        params: dict[str, Any] = order["params"]
        return params

    def remove(self, run: str) -> None:
        """The run has ended. Raises StoreUnavailable."""
        self._store.read(lambda client: client.delete(order_key(run)))


def _get(client: Redis, run: str) -> Any:
    return client.get(order_key(run))
