"""The registry: keeps the records of runs in Redis, and notices those whose owner has died."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from redis import Redis
from redis.exceptions import WatchError

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.runs import Run, unknown_run
from flask_realtime.store import PREFIX, Store

HEARTBEAT_SECONDS = 5.0  # between two signs of life of a process that owns runs
OWNER_DEAD_SECONDS = 20  # without one: its runs are lost (design: within 30 s of its death)
PAGE = 200  # records of one read from Redis


class RunRegistry:
    """The records of all runs. For greenlets of the hub's thread.

    Runs that this process owns live in memory until they have ended and are safely stored; all
    others are read from Redis. `changed(run)` is called on each change of state that this
    process makes.
    """

    def __init__(self, store: Store, stored_end: Callable[[str], int]) -> None:
        self.owner = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self.changed: Callable[[Run], None] = lambda run: None
        self._store = store
        self._stored_end = stored_end
        self._own: dict[str, Run] = {}
        self._unsaved: dict[str, bool] = {}  # runs being stored → whether they changed since
        self._saved = host.Signal()
        self._heart: host.Task | None = None

    def start(self) -> None:
        """Begin to give signs of life, and to look for runs whose owner died."""
        self._heart = host.spawn(self._beat)

    def stop(self) -> None:
        """End the signs of life: what this process still owns is lost from now on."""
        if self._heart is not None:
            self._heart.kill()
            self._heart = None
        if self._store.available:
            try:
                self._store.call(lambda client: client.delete(_owner_key(self.owner)))
            except StoreUnavailable:
                return  # it expires by itself

    def add(self, run: Run) -> None:
        """Store a new run; raises StoreUnavailable, and then there is no run."""
        self._store.call(lambda client: _add(client, run, OWNER_DEAD_SECONDS))
        self._own[run.id] = run
        self.changed(run)

    def own(self) -> list[Run]:
        """The runs of this process that have not been handed over to Redis for good."""
        return list(self._own.values())

    def get(self, run: str) -> Run:
        """Raises UnknownRun and StoreUnavailable."""
        if run in self._own:
            return self._own[run]
        data = self._store.read(lambda client: client.get(_run_key(run)))
        if data is None:
            raise unknown_run(run)
        return Run.load(_bytes(data))

    def list(
        self,
        limit: int,
        *,
        before: str | None = None,
        matches: Callable[[Run], bool] = lambda run: True,
    ) -> tuple[list[Run], str | None]:
        """Return up to `limit` runs that match, newest first, and the `before` of the next page."""
        found: list[Run] = []
        while True:
            page, last = self._store.read(partial(_page, before=before, count=PAGE))
            for data in page:
                run = Run.load(data)
                run = self._own.get(run.id, run)
                if matches(run):
                    if len(found) == limit:
                        return found, found[-1].id
                    found.append(run)
            if last is None:
                return found, None
            before = last

    def save(self, run: Run) -> None:
        """Tell of a change of a run of ours, and store it soon; does not wait."""
        self.changed(run)
        if run.id in self._unsaved:
            self._unsaved[run.id] = True  # whoever stores it now does so once more
        else:
            self._unsaved[run.id] = True
            host.spawn(self._store_record, run)

    def finish(self, run: Run) -> None:
        """Wait until the last record of a run of ours is stored, and let go of the run."""
        while run.id in self._unsaved:
            self._saved.wait()
        self._store_record(run)
        self._own.pop(run.id, None)

    def _store_record(self, run: Run) -> None:
        """One at a time for each run, so that an old record never overwrites a newer one."""
        self._unsaved[run.id] = True
        while self._unsaved[run.id]:
            self._unsaved[run.id] = False
            try:
                self._store.call(partial(_save, run=run.id, record=run.dump(), final=run.final))
            except StoreUnavailable:
                self._unsaved[run.id] = True
                self._store.wait_until_available()
        del self._unsaved[run.id]
        self._saved.set()

    def _beat(self) -> None:
        wait = 0.0  # before looking for orphans: others must have had the time for a sign of life
        while True:
            try:
                self._store.call(lambda c: c.set(_owner_key(self.owner), 1, ex=OWNER_DEAD_SECONDS))
                if wait <= 0:
                    self.sweep()
            except StoreUnavailable:
                wait = 2 * HEARTBEAT_SECONDS
                self._store.wait_until_available()
                continue
            host.sleep(HEARTBEAT_SECONDS)
            wait -= HEARTBEAT_SECONDS

    def sweep(self) -> None:
        """Mark the runs `lost` whose owner gives no sign of life."""
        for run, stored in self._store.call(_orphans):
            if run.id not in self._own:
                self._mark_lost(run, stored)

    def _mark_lost(self, run: Run, stored: bytes) -> None:
        run.output_bytes = self._stored_end(run.id)
        run.enter("lost")
        run.exit = {"code": None, "reason": "the process that ran it has ended"}
        if self._store.call(lambda client: _replace(client, run, stored)):
            self.changed(run)


def _run_key(run: str) -> str:
    return f"{PREFIX}{{{run}}}:run"


def _owner_key(owner: str) -> str:
    return f"{PREFIX}owner:{owner}"


_ALL = PREFIX + "runs"  # sorted set of all run ids, all with score 0: they sort by themselves
_ACTIVE = PREFIX + "active"  # set of the ids of runs that have not ended


def _bytes(data: Any) -> bytes:
    assert isinstance(data, bytes)
    return data


# What is asked of Redis.


def _add(client: Redis, run: Run, owner_seconds: int) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.set(_owner_key(run.owner), 1, ex=owner_seconds)
    pipeline.sadd(_ACTIVE, run.id)
    pipeline.set(_run_key(run.id), run.dump())
    pipeline.zadd(_ALL, {run.id: 0})
    pipeline.execute()


def _save(client: Redis, run: str, record: bytes, final: bool) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.set(_run_key(run), record)
    if final:
        pipeline.srem(_ACTIVE, run)
    else:
        pipeline.sadd(_ACTIVE, run)  # again, if it was taken for lost while we were away
    pipeline.execute()


def _replace(client: Redis, run: Run, old: bytes) -> bool:
    """Store `run` unless somebody changed it meanwhile."""
    key = _run_key(run.id)
    with client.pipeline() as pipeline:
        pipeline.watch(key)  # type: ignore[no-untyped-call]
        if pipeline.get(key) != old:
            return False
        pipeline.multi()
        pipeline.set(key, run.dump())
        pipeline.srem(_ACTIVE, run.id)
        try:
            pipeline.execute()
        except WatchError:
            return False
    return True


def _page(client: Redis, before: str | None, count: int) -> tuple[list[bytes], str | None]:
    """Return the records of `count` runs older than `before`, and the oldest id if more follow."""
    top = f"({before}" if before else "+"
    ids: Any = client.zrevrangebylex(_ALL, top, "-", start=0, num=count)
    records: Any = client.mget([_run_key(run.decode()) for run in ids]) if ids else []
    last = ids[-1].decode() if len(ids) == count else None
    return [record for record in records if record is not None], last


def _orphans(client: Redis) -> list[tuple[Run, bytes]]:
    """Return the runs whose owner gives no sign of life, each with its record as it is stored."""
    ids: Any = client.smembers(_ACTIVE)
    orphans = []
    for run_id in ids:
        data: Any = client.get(_run_key(run_id.decode()))
        if data is None:
            client.srem(_ACTIVE, run_id)
            continue
        run = Run.load(data)
        if run.final:
            client.srem(_ACTIVE, run_id)
        elif not client.exists(_owner_key(run.owner)):
            orphans.append((run, data))
    return orphans
