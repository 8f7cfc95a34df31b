"""A real nginx in front of a site."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.server.certificates import write_certificate
from tests.support.patience import eventually
from tests.support.server import free_port

CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
    server {{
        listen 127.0.0.1:{port}{tls};
        location {prefix}/ {{
            proxy_pass {upstream}/;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Prefix "{prefix}";
        }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, upstream: str, prefix: str, scheme: str) -> Iterator[str]:
    """Serve `upstream` at `prefix` of the address that this gives, over http or https."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is not installed: tools/install_test_system.sh does it"
    port = free_port()
    tls, verify = "", ""
    if scheme == "https":
        certificate, key = write_certificate(folder)
        verify = str(certificate)
        tls = f" ssl; ssl_certificate {certificate}; ssl_certificate_key {key}"
    path = folder / "nginx.conf"
    path.write_text(
        CONFIGURATION.format(folder=folder, port=port, tls=tls, prefix=prefix, upstream=upstream)
    )
    process = subprocess.Popen([program, "-c", path, "-e", folder / "error.log"])
    url = f"{scheme}://localhost:{port}{prefix}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "error.log").read_text()
        try:
            return requests.get(f"{url}/", verify=verify or True, timeout=60).status_code < 500
        except requests.ConnectionError:
            return False

    try:
        eventually(answers)
        yield url
    finally:
        process.terminate()
        process.wait(60)
