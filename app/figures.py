"""The figures of /metrics that are read when they are asked for: of this process, and of all.

Those of all are in Redis, and each process tells the same: take one of them, never their sum.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis

from flask_realtime import Realtime, StoreUnavailable, host
from flask_realtime.errors import ExecutorUnavailable
from flask_realtime.history import IN_PROGRESS, Filter
from flask_realtime.jobs import Job
from flask_realtime.logwriter import LogWriter
from flask_realtime.retention.accounts import sizes
from flask_realtime.running.dispatcher import executor_of
from flask_realtime.running.workersigns import Sign, heard
from flask_realtime.runs import STATES
from flask_realtime.store import keys

PREFIX = "flask_realtime_"
JOB = "job_name"  # `job` is a label of Prometheus' own


class Figures(Collector):
    """What `realtime` knows. For greenlets of the hub's thread."""

    def __init__(self, realtime: Realtime) -> None:
        self._realtime = realtime

    def describe(self) -> Iterable[Metric]:
        """Nothing is read at registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read all. Without Redis those of all are left out."""
        yield from self._of_this_process()
        try:
            yield from self._of_all()
        except StoreUnavailable:
            up = False
        else:
            up = True
        yield _gauge("redis_up", "Whether Redis answers.", int(up))
        yield from self._queues()

    def _of_this_process(self) -> Iterator[Metric]:
        engine = self._realtime.engine
        info = GaugeMetricFamily(
            f"{PREFIX}info", "Which version runs on which node.", labels=["version", "node"]
        )
        info.add_metric([_version(), socket.gethostname()], 1)
        yield info
        archive = GaugeMetricFamily(
            f"{PREFIX}archive_up", "Whether the archive can be used.", labels=["side"]
        )
        archive.add_metric(["read"], int(engine.archive.reading.works))
        archive.add_metric(["write"], int(engine.archive.writing.works))
        yield archive
        yield _gauge("connections", "Socket.IO connections.", self._realtime.events.clients)
        yield _gauge("viewers", "Runs that connections follow.", engine.viewers.count)
        own = GaugeMetricFamily(
            f"{PREFIX}own_runs", "Runs of this process that have not ended.", labels=["state"]
        )
        mine = engine.runs.own()
        states = [run.state for run in mine]
        for state in IN_PROGRESS:
            own.add_metric([state], states.count(state))
        yield own
        writers = [writer for run in mine if (writer := engine.log.writer(run.id))]
        yield CounterMetricFamily(
            f"{PREFIX}output_bytes", "Output of runs of this process.", LogWriter.written_bytes
        )
        yield _gauge(
            "hot_output_bytes",
            "Output of runs in progress here that is in Redis, and not in the archive yet.",
            sum(writer.hot for writer in writers),
        )
        yield _gauge(
            "unstored_output_bytes",
            "Output of runs in progress here that is not in Redis yet.",
            sum(writer.tail.end - writer.tail.flushed for writer in writers),
        )

    def _of_all(self) -> Iterator[Metric]:
        executors = {job.name: self._executor(job) for job in self._realtime.jobs}
        wanted: list[tuple[str | None, str]] = [(None, state) for state in STATES]
        wanted += [(job, state) for job in executors for state in IN_PROGRESS]

        def read(client: Redis) -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            for job, state in wanted:
                (key,) = Filter(job=job, states=(state,)).keys
                pipeline.zcard(key)
            pipeline.zcard(keys.UNSETTLED)
            return list(pipeline.execute())

        store = self._realtime.engine.store
        *counts, unsettled = store.read(read)
        runs = GaugeMetricFamily(f"{PREFIX}runs", "Runs that are kept.", labels=["state"])
        active = GaugeMetricFamily(
            f"{PREFIX}active_runs",
            "Runs that have not ended, by where runs of their job run.",
            labels=[JOB, "executor", "state"],
        )
        for (job, state), count in zip(wanted, counts, strict=True):
            if job is None:
                runs.add_metric([state], count)
            else:
                active.add_metric([job, executors[job], state], count)
        yield runs
        yield active
        yield _gauge("web_nodes", "Web nodes that live.", store.read(_web_nodes))
        yield from _workers(store.read(heard))
        yield _gauge(
            "unsettled_outputs",
            "Outputs that are not wholly in the archive yet, of runs in progress as well.",
            unsettled,
        )
        kept = GaugeMetricFamily(
            f"{PREFIX}kept_output_bytes",
            "Output of ended runs, as it is stored.",
            labels=[JOB],
        )
        for job, size in store.read(sizes).items():
            kept.add_metric([job], size)
        yield kept

    def _executor(self, job: Job) -> str:
        engine = self._realtime.engine
        return executor_of(job, engine.options, engine.remote)

    def _queues(self) -> Iterator[Metric]:
        remote = self._realtime.engine.remote
        queues = {job.rules.queue for job in self._realtime.jobs if self._executor(job) != "thread"}
        if remote is None or not queues:
            return
        lengths: dict[str, int] = {}
        try:
            lengths = host.offload(remote.waiting, sorted(queues))
        except ExecutorUnavailable:
            up = False
        else:
            up = True
        yield _gauge("broker_up", "Whether what hands runs to workers answers.", int(up))
        waiting = GaugeMetricFamily(
            f"{PREFIX}queue_length", "Messages that no worker has taken.", labels=["queue"]
        )
        for queue, length in lengths.items():
            waiting.add_metric([queue], length)
        yield waiting


def _version() -> str:
    try:
        return version("flask-realtime")
    except PackageNotFoundError:  # as in the containers, which have the sources
        return "not installed"


def _web_nodes(client: Redis) -> int:
    return client.hlen(keys.NODES)  # each takes out the dead


def _workers(signs: dict[str, Sign]) -> Iterator[Metric]:
    yield _gauge("worker_processes", "Processes of workers that live.", len(signs))
    labels = ["process", "node"]
    runs = GaugeMetricFamily(f"{PREFIX}worker_runs", "Runs that it has.", labels=labels)
    memory = GaugeMetricFamily(
        f"{PREFIX}worker_memory_bytes", "What it has resident.", labels=labels
    )
    cpu = CounterMetricFamily(f"{PREFIX}worker_cpu_seconds", "What it has used.", labels=labels)
    output = CounterMetricFamily(
        f"{PREFIX}worker_output_bytes", "Output of its runs.", labels=labels
    )
    for name, sign in sorted(signs.items()):
        runs.add_metric([name, sign.host], sign.runs)
        memory.add_metric([name, sign.host], sign.memory)
        cpu.add_metric([name, sign.host], sign.cpu)
        output.add_metric([name, sign.host], sign.output)
    yield from (runs, memory, cpu, output)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, documentation, value)
