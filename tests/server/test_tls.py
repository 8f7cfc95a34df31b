"""TLS: versions, faults in files, reload, the http port beside it, clients that misbehave."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from flask_realtime import ConfigurationError, Server
from flask_realtime.server.tls import Certificates
from tests.server.certificates import write_certificate
from tests.server.program import Program, failing, received
from tests.support.patience import eventually

SERVE = """
(Path("acme") / ".well-known" / "acme-challenge").mkdir(parents=True)
(Path("acme") / ".well-known" / "acme-challenge" / "a-token_1").write_text("a-token_1.thumb")
(Path("acme") / "secret").write_text("secret")
limits = Limits(handshake_seconds=0.5) if "hasty" in sys.argv else Limits()
Server(app, hsts_seconds=3600, acme_folder="acme", limits=limits).run(
    8443, ssl_cert="certs/cert.pem", ssl_key="certs/key.pem", redirect_http=80
)
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("tls")
    write_certificate(folder / "certs")
    with Program(folder, SERVE) as running:
        yield running


def verified(program: Program) -> str:
    return str(program.folder / "certs" / "cert.pem")


def test_https_says_so_to_the_application_and_to_browsers(program: Program) -> None:
    answer = requests.get(f"{program.url}/?q=1", timeout=60, verify=verified(program))
    assert answer.json()["url"] == f"{program.url}/?q=1"
    assert answer.headers["Strict-Transport-Security"] == "max-age=3600"


@pytest.mark.parametrize(
    ("path", "host", "location"),
    [
        ("/a/b%20c?x=1&y=%2F", "shop.example", "https://shop.example:{port}/a/b%20c?x=1&y=%2F"),
        ("/", "shop.example:80", "https://shop.example:{port}/"),
        ("//evil.example/x", "shop.example", "https://shop.example:{port}/evil.example/x"),
        ("/", "[::1]:80", "https://[::1]:{port}/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_is_sent_to_https(
    program: Program, method: str, path: str, host: str, location: str
) -> None:
    connection = http.client.HTTPConnection(program.redirecting.removeprefix("http://"))
    with contextlib.closing(connection):
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        assert answer.status == 308
        assert answer.headers["Location"] == location.format(port=program.port)
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("host", ["a b", "a,b", "evil.example/x", "", "user@evil.example"])
def test_a_host_that_is_none_is_redirected_nowhere(program: Program, host: str) -> None:
    connection = http.client.HTTPConnection(program.redirecting.removeprefix("http://"))
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (400, None)


@pytest.mark.parametrize("name", ["a-token_1", "unknown", "../../secret", "..%2f..%2fsecret", ""])
def test_only_acme_challenges_are_read_from_their_folder(program: Program, name: str) -> None:
    for address in (program.redirecting, program.url):
        base = address.rpartition("/")[2]
        connection = (
            http.client.HTTPConnection(base)
            if address.startswith("http:")
            else http.client.HTTPSConnection(base, context=insecure())
        )
        with contextlib.closing(connection):
            connection.request("GET", f"/.well-known/acme-challenge/{name}")
            answer = connection.getresponse()
            body = answer.read()
            found = (200, b"a-token_1.thumb") if name == "a-token_1" else (404, body)
            assert (answer.status, body) == found
            assert body != b"secret"


def insecure() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(
    ("version", "is_spoken"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_tls_1_2_is_the_oldest(program: Program, version: ssl.TLSVersion, is_spoken: bool) -> None:
    context = insecure()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", program.port), 20) as plain:
        if not is_spoken:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain)
            return
        with context.wrap_socket(plain) as client:
            client.sendall(REQUEST)
            assert b" 200 OK" in received(client)
            cipher = client.cipher()
            assert cipher is not None
            assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_the_end_of_tls_is_said(program: Program) -> None:
    """Without it a client cannot tell the end of an answer from a connection that was cut."""
    context = insecure()
    with (
        socket.create_connection(("127.0.0.1", program.port), 20) as plain,
        context.wrap_socket(plain, suppress_ragged_eofs=False) as client,
    ):
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in received(client)


def test_who_speaks_http_to_the_port_of_https_is_told(program: Program) -> None:
    with socket.create_connection(("127.0.0.1", program.port), 20) as client:
        client.sendall(REQUEST)
        assert received(client).endswith(b"This port speaks https only.\n")


def test_a_client_that_does_not_shake_hands_stops_nobody(program: Program) -> None:
    with socket.create_connection(("127.0.0.1", program.port), 20):
        answer = requests.get(program.url, timeout=60, verify=verified(program))
        assert answer.status_code == 200


def test_a_client_that_does_not_shake_hands_is_closed(tmp_path: Path) -> None:
    write_certificate(tmp_path / "certs")
    with Program(tmp_path, SERVE, "hasty") as program:
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", program.port), 20) as silent:
            assert received(silent) == b""
        assert time.monotonic() - begin > 0.4
        assert "its TLS handshake took more than 0.5 s" in program.log


def serial(program: Program) -> bytes:
    with program.connect() as client:
        assert isinstance(client, ssl.SSLSocket)
        certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def test_a_hangup_signal_reads_the_certificate_again(tmp_path: Path) -> None:
    write_certificate(tmp_path / "certs")
    with Program(tmp_path, SERVE) as program:
        first = serial(program)
        with program.connect() as old:
            write_certificate(tmp_path / "certs")
            assert serial(program) == first  # not by itself
            program.process.send_signal(signal.SIGHUP)
            eventually(lambda: serial(program) != first)
            second = serial(program)
            (tmp_path / "certs" / "key.pem").write_text("nonsense")
            program.process.send_signal(signal.SIGHUP)
            eventually(lambda: "certificates stay as they were: ssl_key:" in program.log)
            _, other = write_certificate(tmp_path / "others")
            other.rename(tmp_path / "certs" / "key.pem")
            program.process.send_signal(signal.SIGHUP)
            eventually(lambda: "key.pem does not fit the certificate " in program.log)
            assert serial(program) == second
            old.sendall(REQUEST)  # it has lived through all this
            assert b" 200 OK" in received(old)


def test_faults_of_files_are_one_clear_line_each(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path / "a")
    other_cert, _ = write_certificate(tmp_path / "b")
    _, locked = write_certificate(tmp_path / "c", password=b"invented")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    missing = tmp_path / "missing.pem"
    expected = {
        (missing, key): f"ssl_cert: cannot read {missing}: No such file or directory",
        (tmp_path, key): f"ssl_cert: cannot read {tmp_path}: Is a directory",
        (cert, missing): f"ssl_key: cannot read {missing}: No such file or directory",
        (other_cert, key): f"ssl_key: {key} does not fit the certificate {other_cert}",
        (nonsense, key): f"ssl_cert: {nonsense} holds no certificate in PEM form",
        (key, key): f"ssl_cert: {key} holds no certificate in PEM form",
        (cert, nonsense): f"ssl_key: {nonsense} holds no private key in PEM form",
        (cert, None): f"ssl_key: {cert} holds no private key in PEM form",
        (cert, locked): f"ssl_key: {locked} is encrypted; decrypt it first: "
        f"openssl pkey -in {locked} -out NEW_FILE",
    }
    for (cert_path, key_path), line in expected.items():
        with pytest.raises(ConfigurationError) as caught:
            Certificates(cert_path, key_path)
        assert str(caught.value) == line


def test_certificate_and_key_may_share_a_file(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    assert not Certificates(both).current.is_costly


def test_a_signature_that_takes_long_is_made_off_the_hub(tmp_path: Path) -> None:
    write_certificate(tmp_path / "certs", rsa_bits=4096)
    assert Certificates(tmp_path / "certs/cert.pem", tmp_path / "certs/key.pem").current.is_costly
    with Program(tmp_path, SERVE) as program:
        assert b" 200 OK" in program.send(REQUEST)


def test_an_expired_certificate_is_served_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = write_certificate(tmp_path, days=-1)
    Certificates(cert, key)
    assert f"the certificate {cert} expired on " in caplog.text


def test_a_certificate_that_is_not_valid_yet_is_served_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = write_certificate(tmp_path, begins=1)
    Certificates(cert, key)
    assert f"the certificate {cert} begins on " in caplog.text


def test_a_key_that_is_too_short_is_one_clear_line(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path, rsa_bits=1024)
    with pytest.raises(ConfigurationError, match=f"ssl_cert: {cert} cannot be used: .*too small"):
        Certificates(cert, key)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"days": -1}, "certificate has expired"),
        ({"name": "shop.example"}, "certificate is not valid for 'localhost'"),
    ],
)
def test_clients_that_refuse_the_certificate_do_the_server_no_harm(
    what: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    write_certificate(tmp_path / "certs", **what)
    with Program(tmp_path, SERVE) as program:
        context = ssl.create_default_context(cafile=verified(program))
        for _ in range(3):
            with (
                socket.create_connection(("127.0.0.1", program.port), 20) as plain,
                pytest.raises(ssl.SSLCertVerificationError, match=expected),
            ):
                context.wrap_socket(plain, server_hostname="localhost")
        assert b" 200 OK" in program.send(REQUEST)  # of a client that looks at nothing
        assert "Traceback" not in program.log
        assert "ERROR" not in program.log


def test_an_adhoc_certificate_is_for_this_machine(tmp_path: Path) -> None:
    with Program(tmp_path, 'Server(app).run(8443, ssl_cert="adhoc")') as program:
        assert b" 200 OK" in program.send(REQUEST)
        path = tmp_path / "made.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(serial(program)))
        for name in ("localhost", "127.0.0.1"):
            address = f"https://{name}:{program.port}/"
            assert requests.get(address, timeout=60, verify=str(path)).status_code == 200


def test_settings_that_make_no_sense_are_refused() -> None:
    server = Server(lambda environ, start: [])
    with pytest.raises(ConfigurationError, match="ssl_key: is of no use without ssl_cert"):
        server.bind(0, "127.0.0.1", ssl_key="x")
    with pytest.raises(ConfigurationError, match="redirect_http: there is no https to go to"):
        server.bind(0, "127.0.0.1", redirect_http=0)
    with pytest.raises(ConfigurationError, match="there is no format 'xml'"):
        Server(lambda environ, start: [], access_log="xml")


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failing(tmp_path, f"Server(app).run({port})")
        assert f"PORT: port {port} of 127.0.0.1 is in use by another program" in said
        said = failing(tmp_path, f'Server(app).run(0, ssl_cert="adhoc", redirect_http={port})')
        assert f"REDIRECT_HTTP: port {port} of 127.0.0.1 is in use by another program" in said
