"""Starts nginx with the shipped site file, and an application behind it, on free ports of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
import uvicorn
from starlette.types import ASGIApp

SITE = Path(__file__).parents[2] / "deploy" / "nginx-site.conf"
HOST = "blog.example"
STARTED = "start worker process "


def find_nginx() -> str:
    """Debian keeps it in /usr/sbin, which is not in everybody's PATH. Without it the test is skipped."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        if os.environ.get("FEDIBLOG_REQUIRE_NGINX") == "1":
            pytest.fail("nginx is not installed, and FEDIBLOG_REQUIRE_NGINX=1 asks for it")
        pytest.skip("nginx is not installed")
    return found


@dataclass(frozen=True, slots=True)
class Site:
    """Where nginx listens, and whom to believe."""

    http: int
    https: int
    authority: Path  # PEM of the CA


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def _replace(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"{SITE.name} no longer has {old!r}"
        text = text.replace(old, new)
    return text


def _write_site(folder: Path, http: int, https: int, upstream: str) -> None:
    """The shipped file, with other ports and another certificate."""
    changes = {
        "    listen 80;\n    listen [::]:80;\n": f"    listen 127.0.0.1:{http};\n",
        "    listen 443 ssl http2;\n    listen [::]:443 ssl http2;\n": f"    listen 127.0.0.1:{https} ssl http2;\n",
        "127.0.0.1:8080": upstream,
        "/var/log/nginx/fediblog.log": str(folder / "access.log"),
        "/etc/letsencrypt/live/blog.example/fullchain.pem": str(folder / "chain.pem"),
        "/etc/letsencrypt/live/blog.example/privkey.pem": str(folder / "key.pem"),
    }
    comments = [line for line in SITE.read_text().splitlines(keepends=True) if not line.startswith("#")]
    (folder / "site.conf").write_text(_replace("".join(comments), changes))


def _write_main(folder: Path) -> None:
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root root;\n" if os.geteuid() == 0 else ""  # a worker must be able to read the test's folder
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr notice;\n"
        f"error_log {folder}/error.log notice;\n"
        f"events {{ }}\nhttp {{\naccess_log off;\n{paths}include {folder}/site.conf;\n}}\n"
    )


def _write_certificate(folder: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(folder / "chain.pem", append=True)


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The application on a free port. The socket listens before the server runs, so that nobody needs to wait."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", proxy_headers=False, log_level="warning", lifespan="auto"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@contextmanager
def nginx(program: str, folder: Path, upstream: str) -> Iterator[Site]:
    """nginx in front of the application that listens on `upstream`: host:port or unix:/path."""
    http, https = _free_ports(2)
    _write_certificate(folder)
    _write_site(folder, http, https, upstream)
    _write_main(folder)
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            for line in process.stderr:
                said.append(line)
                if STARTED in line:
                    break
            else:
                raise AssertionError("nginx did not start:\n" + "".join(said))
            yield Site(http, https, folder / "authority.pem")
        finally:
            process.terminate()
