"""Executor `celery`: runs on Celery's workers, on any machine. The only file that imports Celery.

A message carries the id of a run and nothing else; whether there is anything to do for it, the
run's record says. So it does no harm that a message comes twice, and one that was lost is sent
again by the engine. Celery keeps no results and retries nothing.

Each job is a task of its own, ``run.<job>``, so that Celery's rate limits and monitors tell them
apart; the task ``run`` takes the runs of jobs that a worker does not know, to say so.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from celery import Celery, bootsteps, signals
from celery.app.amqp import AMQP, Queues
from kombu.entity import Queue
from kombu.exceptions import ChannelError, ConnectionError, KombuError
from redis.exceptions import RedisError

from flask_realtime.errors import ConfigurationError, ExecutorUnavailable
from flask_realtime.executors.brokerurl import BROKER_FORMS, Broker, parse_broker_url
from flask_realtime.executors.poolprocess import Performer, PoolProcess
from flask_realtime.jobrules import DEFAULT_QUEUE

T = TypeVar("T")

TASK = "run"  # and, with a dot and its name, the task of a job
# A broker gives a message to another worker when it was not acknowledged for so long: a run that
# takes longer is offered once more, which does nothing. A worker that died leaves its message until
# then, which does no harm either: the engine sends it again long before.
UNACKNOWLEDGED_SECONDS = 86_400
ANSWER_SECONDS = 2.0  # that a web node waits for one answer of the broker
CONNECTIONS = 4  # of one web node to the broker
# A connection that was of no use shows at once: then one more attempt is made. redis-py makes four
# of its own, each of up to ANSWER_SECONDS.
STALE_SECONDS = 0.5
START_SECONDS = 60.0  # that a process of the pool may take to be ready


# Of a broker that cannot be used, of RabbitMQ or Redis.
ERRORS = (KombuError, ConnectionError, ChannelError, RedisError, OSError)


class _Queues(Queues):  # type: ignore[misc]  # Celery has no types
    """All queues are declared alike, by whoever comes first: RabbitMQ refuses a second opinion."""

    def new_missing(self, name: str) -> Any:
        return _queue(name)


class _Amqp(AMQP):  # type: ignore[misc]
    queues_cls = _Queues


# Of a queue of RabbitMQ, in milliseconds; a Redis makes nothing of it.
_ARGUMENTS = {"x-consumer-timeout": UNACKNOWLEDGED_SECONDS * 1000}


def _queue(name: str) -> Any:
    return Queue(name, routing_key=name, queue_arguments=_ARGUMENTS)  # type: ignore[no-untyped-call]


def make_app(broker: Broker, **transport: object) -> Celery:
    """Return a Celery application over `broker`. Connects to nothing."""
    app = Celery("flask-realtime", amqp=_Amqp, set_as_current=False)
    app.conf.update(
        # Not broker_url: Celery would take BROKER_URL in the environment, which is ours, for it.
        broker_read_url=broker.url,
        broker_write_url=broker.url,
        broker_use_ssl=dict(broker.tls) if broker.tls is not None else None,
        broker_transport_options={
            "visibility_timeout": UNACKNOWLEDGED_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            "confirm_publish": not broker.is_redis,
            **broker.transport,
            **transport,
        },
        broker_connection_timeout=ANSWER_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker waits for its broker as long as it takes
        # ... also for one that answers and refuses: a Redis whose disk is full (MISCONF), or that
        # is no master any more. Celery would end the worker.
        broker_channel_error_retry=True,
        task_default_queue=DEFAULT_QUEUE,
        task_queues=[_queue(DEFAULT_QUEUE)],
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        # A message is acknowledged when its run is over, and a process of the pool takes one at a
        # time: no worker sits on runs that another could begin.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # what a job prints is its run's
        worker_proc_alive_timeout=START_SECONDS,
    )
    return app


class CeleryExecutor:
    """The side of the web nodes: sends runs to the workers. All methods block.

    `url` is that of the broker, as BROKER_FORMS has it. Raises ConfigurationError for one that is
    malformed.
    """

    name = "celery"

    def __init__(self, url: str) -> None:
        self._broker = read_broker(url)
        waits: dict[str, object] = {"socket_timeout": ANSWER_SECONDS}
        if not self._broker.is_redis:
            waits = {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
        self._app = make_app(self._broker, **waits)
        self._idle: list[Any] = []  # connections; not Celery's own, which stay open for good
        self._free = threading.BoundedSemaphore(CONNECTIONS)

    def check(self) -> None:
        """Raise ConfigurationError with one line unless the broker answers, within some 7 s."""
        try:
            self._call(lambda channel: None)
        except ExecutorUnavailable as error:
            raise ConfigurationError(
                f"BROKER_URL: no broker can be used at {self._broker.shown} ({error.__cause__}): "
                "start it, or set BROKER_URL to one that runs"
            ) from error

    def send(self, run: str, queue: str, job: str = "") -> None:
        """Say to the workers of `queue` that there is a run of `job`. Raises ExecutorUnavailable.

        Takes up to some 7 s when the broker hangs.
        """
        self._call(lambda channel: publish(self._app, channel, run, queue, job))

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        """How many messages of each queue no worker has taken. Raises ExecutorUnavailable."""
        return {queue: self._call(partial(_length, queue=queue)) for queue in queues}

    def close(self) -> None:
        """Let go of the connections."""
        while self._idle:
            self._idle.pop().release()

    def _call(self, function: Callable[[Any], T]) -> T:
        """Return `function(channel)`; over a new connection if the old one is of no use."""
        began = time.monotonic()
        try:
            try:
                return self._over(function)
            except ERRORS:
                if time.monotonic() - began > STALE_SECONDS:
                    raise
                return self._over(function)
        except ERRORS as error:
            raise ExecutorUnavailable(
                "what hands runs to the workers does not answer: start the job again in a moment"
            ) from error

    def _connection(self) -> Any:
        try:
            return self._idle.pop()  # others may be faster: not looked at before
        except IndexError:
            return self._app.connection_for_write()

    def _over(self, function: Callable[[Any], T]) -> T:
        if not self._free.acquire(timeout=ANSWER_SECONDS):
            raise TimeoutError(f"{CONNECTIONS} calls to the broker are under way")
        try:
            connection = self._connection()
            try:
                connection.connect()
                answer = function(connection.default_channel)
            except BaseException:
                connection.collect()
                connection.release()
                raise
            self._idle.append(connection)
            return answer
        finally:
            self._free.release()


def publish(app: Celery, channel: Any, run: str, queue: str, job: str = "") -> None:
    """Send the message of a run. The queue is declared each time: the broker may have lost it."""
    message = app.amqp.create_task_message(
        run, f"{TASK}.{job}" if job else TASK, (run,), ignore_result=True
    )
    _queue(queue)(channel).declare()
    producer = app.amqp.Producer(channel, auto_declare=False)
    producer.publish(
        message.body,
        exchange="",  # straight into the queue of that name
        routing_key=queue,
        serializer="json",
        headers=message.headers,
        delivery_mode="persistent",
        **message.properties,
    )


def _length(channel: Any, queue: str) -> int:
    # Not passively: of a Redis whose keys have a prefix, Kombu 5.7 finds no queue then.
    declared = channel.queue_declare(
        queue=queue, durable=True, auto_delete=False, arguments=_ARGUMENTS
    )
    length: int = declared.message_count
    return length


def read_broker(url: str) -> Broker:
    """`parse_broker_url`, but a ConfigurationError for the setting."""
    try:
        return parse_broker_url(url)
    except ValueError as error:
        raise ConfigurationError(f"BROKER_URL: {error}: expected {BROKER_FORMS}") from error


def make_worker(
    url: str,
    jobs: Iterable[str],
    start: Callable[[], Performer],
    *,
    begin: Callable[[], None] = lambda: None,
    alive: Callable[[], None] = lambda: None,
) -> Celery:
    """Return the Celery application of a worker: ``celery -A module worker`` serves it.

    `start` is called in each process of the pool. In the worker's own process `begin` is called
    first, instead of Celery's way with logs, and `alive` every 2 s while the broker answers. What
    Celery does with pools, queues and remote control is left as it is, but the pool has to be
    `prefork`, since each process answers for its runs. Raises ConfigurationError.
    """
    app = make_app(read_broker(url))
    process, request = PoolProcess(start), _request_class()
    for name in (TASK, *(f"{TASK}.{job}" for job in jobs)):
        app.task(name=name, shared=False, Request=request)(process.task())
    app.steps["consumer"].add(_NothingRestored)
    # Celery's signals hold what is connected weakly, unless told otherwise.
    signals.setup_logging.connect(lambda **_: None, weak=False)
    signals.worker_init.connect(lambda sender, **_: _begin(sender, begin), weak=False)
    signals.heartbeat_sent.connect(lambda **_: alive(), weak=False)
    signals.worker_process_init.connect(process.start, weak=False)
    signals.worker_process_shutdown.connect(process.stop, weak=False)
    signals.task_unknown.connect(
        lambda message, id, **_: _hand_to_any(app, message, id), weak=False
    )
    return app


class _NothingRestored(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Has a channel that ends put no message back into its queue.

    Kombu 5.7 fails in that once the connection to a Redis is lost, and Celery ends the worker for
    it. What was not acknowledged the engine sends again.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        consumer.task_consumer.channel.do_restore = False


def _request_class() -> type[Any]:
    from celery.worker.request import Request  # nothing for a web node

    class RunRequest(Request):  # type: ignore[misc]
        """A message whose connection was lost before its run was over: nothing to acknowledge.

        Kombu 5.7 takes its closed channel for an error that ends the worker.
        """

        def __init__(self, message: Any, *args: Any, **options: Any) -> None:
            acknowledge = message.ack

            def ack(*args: Any, **options: Any) -> None:
                if message.channel.connection is not None:
                    acknowledge(*args, **options)

            message.ack = ack
            super().__init__(message, *args, **options)

    return RunRequest


def _begin(worker: Any, begin: Callable[[], None]) -> None:
    if worker.pool_cls.__module__ != "celery.concurrency.prefork":
        print("--pool: runs need the pool `prefork`, which is the default", file=sys.stderr)
        sys.exit(2)
    begin()


def _hand_to_any(app: Celery, message: Any, run: str) -> None:
    """A message of a job that this worker does not know: the run is to fail, and to say so."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        publish(app, channel, run, message.delivery_info["routing_key"])
