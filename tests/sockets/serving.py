"""A served application as a child process, and clients of it."""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync.client import ClientConnection, connect

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


class Serving:
    """A program that says its port, as ``port N`` or an address, and serves it until SIGTERM."""

    def __init__(self, folder: Path, command: list[str], certificate: Path | None = None) -> None:
        self.certificate = certificate
        self._log = folder / "log"
        with self._log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=folder,  # what it keeps is below
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            found = eventually(self._said_port)
            self.port = int(found[1] or found[2])
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _said_port(self) -> re.Match[str] | None:
        assert self._process.poll() is None, self.log
        return re.search(r"^port (\d+)$|^Serving http://localhost:(\d+)", self.log, re.M)

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return ("https://" if self.certificate else "http://") + self.address

    def context(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=str(self.certificate))
        # The client of websockets reads and writes in two threads. With TLS 1.3 the first read,
        # which takes session tickets, then sometimes swallows the first write (OpenSSL 3,
        # Python 3.11): the request is never sent.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def connect(self, path: str, **options: Any) -> ClientConnection:
        url = self.origin.replace("http", "ws", 1) + path
        if self.certificate is not None:
            options["ssl"] = self.context()
        defaults = {
            "max_size": None,
            "open_timeout": 60,
            "close_timeout": 10,
            "ping_interval": None,
        }
        return connect(url, proxy=None, **{**defaults, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        verify = str(self.certificate) if self.certificate else True
        return requests.get(self.origin + path, timeout=60, verify=verify, **options)

    def said(self, line: str) -> bool:
        """Wait until the program has printed `line`."""
        return bool(eventually(lambda: line in self.log))

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            assert self._process.wait(60) == 0, self.log
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
