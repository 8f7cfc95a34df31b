"""Certificates: read and checked with one clear line a fault, or made up for development."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from flask_realtime import host
from flask_realtime.errors import ConfigurationError

ADHOC = "adhoc"  # in the place of a certificate's path
ADHOC_DAYS = 30
# For TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325, section 4.2). TLS 1.3
# has no others.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
# To sign with such a key takes 1 ms, with twice the bits 6 ms; to hand that to a thread and back
# costs 0.3 ms (docs/decisions/062-server.md).
QUICK_RSA_BITS = 2048

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A TLS context, and whether to sign with its key would hold up the hub."""

    context: ssl.SSLContext
    is_costly: bool


class Certificates:
    """The credentials that new connections use (`current`); `reload` replaces them.

    `cert` is a PEM file with the certificate and its chain, `key` one with its private key, which
    may be the same file; ``cert="adhoc"`` makes a certificate up. Raises ConfigurationError.
    """

    def __init__(self, cert: str | Path, key: str | Path | None = None) -> None:
        self._cert = cert
        self._key = key
        self.current = self._load()

    def reload(self) -> None:
        """Read the files again. Reads them at once: not for the hub. Raises ConfigurationError.

        What is wrong with the new ones leaves the old ones in use.
        """
        self.current = self._load()

    def _load(self) -> Credentials:
        if self._cert == ADHOC:
            return Credentials(_adhoc_context(), is_costly=False)
        cert = Path(self._cert)
        return _credentials(cert, Path(self._key) if self._key else cert)


def reload_certificates(certificates: Certificates) -> None:
    """Read the files again, from the hub, and say in the log how that went."""
    try:
        host.offload(certificates.reload)
    except ConfigurationError as error:
        _log.error("the certificates stay as they were: %s", error)
    else:
        _log.info("the certificates were read again")


def _credentials(cert: Path, key: Path) -> Credentials:
    try:
        chain = x509.load_pem_x509_certificates(_read("ssl_cert", cert))
    except ValueError:
        raise ConfigurationError(f"ssl_cert: {cert} holds no certificate in PEM form") from None
    pem = _read("ssl_key", key)
    try:
        private = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise ConfigurationError(
            f"ssl_key: {key} is encrypted; decrypt it first: openssl pkey -in {key} -out NEW_FILE"
        ) from None
    except ValueError:
        raise ConfigurationError(f"ssl_key: {key} holds no private key in PEM form") from None
    if private.public_key() != chain[0].public_key():
        raise ConfigurationError(f"ssl_key: {key} does not fit the certificate {cert}")
    _warn_of_dates(cert, chain[0])
    is_costly = isinstance(private, rsa.RSAPrivateKey) and private.key_size > QUICK_RSA_BITS
    return Credentials(_load_chain(cert, key), is_costly)


def _load_chain(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key)
    except ssl.SSLError as error:  # a key that is too short, say
        raise ConfigurationError(f"ssl_cert: {cert} cannot be used: {error}") from None
    return context


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{name}: cannot read {path}: {error.strerror}") from None


def _warn_of_dates(path: Path, cert: x509.Certificate) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    if cert.not_valid_after_utc < now:
        _log.warning("the certificate %s expired on %s", path, cert.not_valid_after_utc.date())
    elif cert.not_valid_before_utc > now:
        _log.warning("the certificate %s begins on %s", path, cert.not_valid_before_utc.date())


def _adhoc_context() -> ssl.SSLContext:
    pem = adhoc_certificate(("localhost", "127.0.0.1", "::1", socket.gethostname()))
    with tempfile.TemporaryDirectory() as folder:  # for its owner only
        path = Path(folder) / "adhoc.pem"
        path.write_bytes(pem)
        return _load_chain(path, path)


def adhoc_certificate(names: Iterable[str]) -> bytes:
    """A certificate for these names and addresses, signed by itself, with its private key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Flask-Realtime, adhoc")])
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=ADHOC_DAYS))
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())
