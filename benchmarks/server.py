"""Flask's "Hello World" under this server and under Tornado; TLS handshakes."""

from __future__ import annotations

import datetime
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from benchmarks.parts import HERE, middle

CONNECTIONS = 32
SECONDS = 5
ROUNDS = 3
HANDSHAKE_CLIENTS = 3
PROGRAM = HERE / "jobs" / "_hello_server.py"
CLIENT = HERE / "clients" / "http_load.py"


def main() -> None:
    names = ("server", "server with access log", "tornado")
    # In turns: what else the machine does then falls on all alike.
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            with _serving(*name.split()) as port:
                found[name].append(_requests(port))
    rates = {name: middle(values) for name, values in found.items()}
    for name, rate in rates.items():
        share = rate / rates["tornado"]
        print(f"  {name:<23} {rate:>10,.0f} requests/s  {share:.2f} × tornado")
    print(f"  ({CONNECTIONS} connections; wanted: server at least 1.3 × tornado)")
    _handshakes()


def _requests(port: int) -> float:
    command = [sys.executable, str(CLIENT), str(port), str(CONNECTIONS), str(SECONDS)]
    return float(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def _handshakes() -> None:
    if shutil.which("openssl") is None:
        print("  TLS handshakes: not measured, there is no openssl here")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ECDSA P-256", "RSA 2048", "RSA 4096"):
            path = Path(folder, "cert.pem")
            path.write_bytes(_certificate(name))
            with _serving("server", str(path)) as port:
                rate, stall = _handshake_rate(port)
            print(f"  {name:<23} {rate:>10,.0f} new TLS handshakes/s")
            print(f"  {'':<23} {stall:>10.1f} ms p99 of a request meanwhile")


def _handshake_rate(port: int) -> tuple[float, float]:
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(SECONDS)]
    clients = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(HANDSHAKE_CLIENTS)
    ]
    latencies = sorted(_latencies(port))
    rate = 0.0
    for client in clients:
        output, _ = client.communicate(timeout=60)
        found = re.search(r"(\d+) connections in (\d+) real seconds", output)
        assert found is not None, output
        rate += int(found[1]) / int(found[2])
    return rate, latencies[int(len(latencies) * 0.99)]


def _latencies(port: int) -> Iterator[float]:
    """Milliseconds of small requests, over one connection, while handshakes are done."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain) as client,
    ):
        end = time.monotonic() + SECONDS - 1
        while time.monotonic() < end:
            begin = time.perf_counter()
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"Hello World" in client.recv(65536)
            yield (time.perf_counter() - begin) * 1000
            time.sleep(0.005)


@contextmanager
def _serving(kind: str, *more: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(port), kind, *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=HERE.parent,
    )
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{kind} does not listen")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _certificate(name: str) -> bytes:
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if name.startswith("ECDSA")
        else rsa.generate_private_key(65537, int(name.split()[1]))
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
