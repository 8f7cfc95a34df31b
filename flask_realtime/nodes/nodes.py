"""The web nodes over one Redis: who else serves, and whether all of them have the same keys."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from flask_realtime.nodes.signs import Signs
from flask_realtime.store import keys
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

GONE_SECONDS = 12  # without a sign of life: the node does not count any more


class Nodes:
    """This web node among the others. For greenlets of the hub's thread.

    `name` is its own. `prints` has, for each setting whose keys all nodes have to know, their
    fingerprints; the first key is the one that makes, the others are those that are read as well.
    """

    def __init__(self, store: Store, name: str, prints: Mapping[str, Sequence[str]]) -> None:
        says = json.dumps(
            {"host": socket.gethostname(), "keys": {key: list(of) for key, of in prints.items()}}
        )
        self._prints = prints
        self._warned: set[tuple[str, str]] = set()
        self._signs = Signs(store, keys.NODES, name, GONE_SECONDS, lambda: says, self._heard)

    def start(self) -> None:
        """Begin to tell of this node, and to look at what others say."""
        self._signs.start()

    def leave(self) -> bool:
        """Tell no more; whether there are others, as far as Redis knows."""
        return bool(self._signs.stop())

    def _heard(self, others: dict[str, bytes]) -> None:
        for name, said in others.items():
            self._compare(name, json.loads(said))

    def _compare(self, name: str, said: dict[str, Any]) -> None:
        """Warn, once, of keys that are not the same there. A rotation may be under way."""
        for key, mine in self._prints.items():
            theirs = said["keys"].get(key)
            if theirs is None or (mine[0] in theirs and theirs[0] in mine):
                continue
            if (name, key) not in self._warned:
                self._warned.add((name, key))
                logger.warning(
                    "%s is not the same here and at the node on %s (%s): what one of them signs or "
                    "seals, logins for example, the other cannot read. Give all nodes the same "
                    "(docs/nodes.md)",
                    *(key, said["host"], name),
                )
