"""An app server behind the proxy, behind nginx, behind jupyter-server-proxy, and by itself.

nginx and jupyter-server-proxy (the program `jupyter-server`) are measured where they are on PATH.
The load and the app server are programs of their own that pass prepared bytes.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.parts import HERE, percentile

ROOT = HERE.parent
CLIENTS = HERE / "clients"
SECONDS = 2
GIB = 1 << 30


# Messages of 1 KB over one WebSocket and over 64; answers of 64 bytes and of 1 MB.
KINDS = (("ws", 1), ("ws", 64), ("small", 32), ("big", 8))
ROUNDS = 3  # each measures all programs in turn, so that a busy moment meets all of them


@dataclass(frozen=True)
class Target:
    """A running program; `pid` is 0 where its CPU time does not matter."""

    port: int
    path: str
    pid: int


@dataclass(frozen=True)
class Figures:
    """What one round found: exchanges a second, and µs."""

    rate: float
    p50: float
    p99: float
    cpu: float


def main() -> None:
    found: dict[tuple[str, str], list[Figures]] = {}
    with ExitStack() as stack:
        targets = _targets(stack)
        for kind, count in KINDS:
            for _ in range(ROUNDS):
                for name, target in targets.items():
                    figures = _measure(target, kind, count)
                    found.setdefault((name, f"{kind} {count}"), []).append(figures)
            for name in targets:
                _report(name, kind, count, found[name, f"{kind} {count}"])
        _large_bodies(targets["ours"])
    _compare(found)


def _targets(stack: ExitStack) -> dict[str, Target]:
    upstream = stack.enter_context(_upstream())
    targets = {"direct": Target(upstream, "/", 0)}
    port, pid = stack.enter_context(_ours(upstream))
    targets["ours"] = Target(port, "/app/", pid)
    if shutil.which("nginx"):
        port, pid = stack.enter_context(_nginx(upstream))
        targets["nginx"] = Target(port, "/", pid)
    else:
        print("  nginx is not installed")
    if shutil.which("jupyter-server"):
        port, pid = stack.enter_context(_jupyter())
        targets["jupyter-server-proxy"] = Target(port, f"/proxy/{upstream}/", pid)
    else:
        print("  jupyter-server-proxy is not installed")
    return targets


def _measure(target: Target, kind: str, count: int) -> Figures:
    before = _cpu_seconds(target.pid)
    result = _load(target.port, target.path, kind, count)
    cpu = (_cpu_seconds(target.pid) - before) / len(result)
    p50, p99 = percentile(result, 0.5), percentile(result, 0.99)
    return Figures(len(result) / SECONDS, p50 * 1e6, p99 * 1e6, cpu * 1e6)


def _report(name: str, kind: str, count: int, rounds: list[Figures]) -> None:
    """The round in the middle."""
    middle = sorted(rounds, key=lambda each: each.rate)[len(rounds) // 2]
    print(
        f"  {name:<21} {kind:<5} x {count:<3} {middle.rate:>9.0f}/s   p50 {middle.p50:>6.0f} µs  "
        f"p99 {middle.p99:>6.0f} µs  CPU {middle.cpu:>5.0f} µs",
        flush=True,
    )


def _load(port: int, path: str, kind: str, count: int) -> list[float]:
    """Closed-loop exchanges over `count` connections for SECONDS; how long each took."""
    command = [sys.executable, str(CLIENTS / "proxy_load.py"), str(port), path, kind]
    output = subprocess.run(
        [*command, str(count), str(SECONDS)], capture_output=True, timeout=60, check=True
    ).stdout
    result: list[float] = json.loads(output)
    return result


def _cpu_seconds(pid: int) -> float:
    if not pid:
        return 0.0
    top = psutil.Process(pid)
    times = [each.cpu_times() for each in (top, *top.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _large_bodies(target: Target) -> None:
    """1 GiB up and 1 GiB down, and what the server's memory grows by."""
    process = psutil.Process(target.pid)
    before = process.memory_info().rss
    for name, head, size in (
        ("upload", f"POST /app/sink HTTP/1.1\r\nHost: x\r\nContent-Length: {GIB}\r\n\r\n", GIB),
        ("download", f"GET /app/bytes/{GIB} HTTP/1.1\r\nHost: x\r\n\r\n", 0),
    ):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", target.port), timeout=60) as connection:
            connection.sendall(head.encode())
            piece = bytes(1 << 20)
            for _ in range(size >> 20):
                connection.sendall(piece)
            received = len(connection.recv(1 << 20))
            while not size and received < GIB:
                received += len(connection.recv(1 << 20))
        seconds = time.monotonic() - began
        grown = (process.memory_info().rss - before) / 2**20
        print(
            f"  1 GiB {name:<9} {1024 / seconds:>6.0f} MiB/s, memory {grown:+.1f} MiB", flush=True
        )


def _compare(found: dict[tuple[str, str], list[Figures]]) -> None:
    """Round by round: the ratio in the middle, and the two at the ends."""
    for other, kind, value, wanted in (
        ("nginx", "ws 64", "rate", "at least 0.6"),
        ("nginx", "ws 1", "p50", "at most 1.3"),
        ("jupyter-server-proxy", "ws 64", "rate", "at least 5"),
        ("jupyter-server-proxy", "small 32", "rate", "at least 4"),
    ):
        pairs = zip(found["ours", kind], found.get((other, kind), ()), strict=False)
        ratios = sorted(getattr(own, value) / getattr(its, value) for own, its in pairs)
        if ratios:
            print(
                f"  ours / {other:<21} {kind:<8} {value:<4} {ratios[len(ratios) // 2]:>6.2f}  "
                f"({ratios[0]:.2f} to {ratios[-1]:.2f}; wanted: {wanted})"
            )


@contextmanager
def _program(*command: str, port: int = 0, cwd: Path = ROOT) -> Iterator[tuple[int, int]]:
    """A server that says its port in the first line, or has the one that it was given."""
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        number = port or int(process.stdout.readline())
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", number)):
                    break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} does not listen")
            time.sleep(0.05)
        yield number, process.pid
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def _upstream() -> Iterator[int]:
    with _program(sys.executable, str(CLIENTS / "proxy_upstream.py")) as (port, _):
        yield port


@contextmanager
def _ours(upstream: int) -> Iterator[tuple[int, int]]:
    program = f"""
from flask import Flask
from flask_realtime import ReverseProxy, Server
app = Flask("bench")
ReverseProxy("/app", "http://127.0.0.1:{upstream}", strip_prefix=True).init_app(app)
server = Server(app)
server.bind(0, "127.0.0.1")
print(server.port, flush=True)
server.serve()
server.close()
"""
    with _program(sys.executable, "-c", program) as found:
        yield found


@contextmanager
def _nginx(upstream: int) -> Iterator[tuple[int, int]]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "nginx.conf"
        bodies = "\n".join(
            f"{each}_temp_path {folder};"
            for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration.write_text(f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; {bodies} keepalive_requests 100000000;
  map $http_upgrade $upgrade {{ default upgrade; '' ''; }}
  upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://app; proxy_http_version 1.1; client_max_body_size 0;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrade;
  }} }}
}}""")
        program = str(shutil.which("nginx"))
        log = f"{folder}/error.log"
        with _program(program, "-e", log, "-c", str(configuration), port=port) as found:
            yield found


@contextmanager
def _jupyter() -> Iterator[tuple[int, int]]:
    port = _free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        _program(
            str(shutil.which("jupyter-server")),
            "--no-browser",
            "--allow-root",
            "--IdentityProvider.token=",
            "--ServerApp.log_level=ERROR",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.port={port}",
            port=port,
            cwd=Path(folder),
        ) as found,
    ):
        yield found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
