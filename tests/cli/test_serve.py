"""The server as a process: it starts, answers, stops, survives being killed, and says plainly what is wrong."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from fediblog.federation.worker import Worker
from fediblog.passwords import check_password
from fediblog.store.people import logins, server_state
from tests.cli.conftest import ORIGIN, PASSWORD, Process, Run, Start
from tests.cli.test_commands import ask

LOOPBACK = "127.0.0.1:0"


def origin_of(process: Process) -> str:
    """Where a server that tries out is; waits until it is ready."""
    found = re.search(r"is ready: (\S+)", process.until("is ready: "))
    assert found is not None
    return found[1]


def setup_link(process: Process) -> str:
    return process.until("/setup?token=").rpartition(" ")[2]


def request(url: str, method: str = "GET", form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Ask a server on this machine."""
    parts = urlsplit(url)
    headers = {"Accept": "text/html"}
    if form is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{parts.scheme}://{parts.netloc}"}
    with closing(HTTPConnection(parts.netloc, timeout=20)) as connection:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()


def set_up(link: str) -> int:
    """Fill in the form behind a set-up link."""
    parts = urlsplit(link)
    form = {"token": parts.query.partition("=")[2], "name": "alice", "handle": "alice", "display": "Alice"}
    form |= {"password": PASSWORD, "password-again": PASSWORD}
    return request(f"{parts.scheme}://{parts.netloc}/setup", "POST", form)[0]


def test_the_first_start_needs_no_configuration(start: Start, tmp_path: Path) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    hint = process.until("!!")
    assert "this machine alone" in hint
    assert "--origin https://" in hint
    origin = origin_of(process)
    assert origin.startswith("http://127.0.0.1:")
    status, headers, body = request(f"{origin}/healthz")
    assert (status, body) == (200, "ok\n")
    assert "server" not in headers
    assert "date" in headers
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert process.end() == 0
    assert "Stopped." in process.said


def test_the_set_up_link_works_once(start: Start, tmp_path: Path) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    link = setup_link(process)
    assert request(link)[0] == 200
    assert request(link + "x")[0] == 404
    assert set_up(link) in (302, 303)
    assert request(link)[0] == 404
    assert set_up(link) >= 400
    assert process.end() == 0
    assert check_password(PASSWORD, ask(tmp_path / "data", logins.password_hash, "alice"))


def test_a_new_start_gives_a_new_set_up_link_until_there_is_a_login(start: Start, run: Run, tmp_path: Path) -> None:
    words = ("serve", "--data", "data", "--listen", "unix:" + str(tmp_path / "socket"), "--origin", ORIGIN)
    links = []
    for _ in range(2):
        process = start(*words)
        links.append(setup_link(process))
        assert process.end() == 0
    assert links[0] != links[1]
    assert run("user", "add", "alice", "--password-file", "-", "--data", "data", stdin=PASSWORD).status == 0
    process = start(*words)
    process.until("is ready")
    assert process.end() == 0
    assert not any("/setup" in line for line in process.said)
    assert ask(tmp_path / "data", server_state.get, "setup-token") is None


def test_ctrl_c_ends_it_in_order_too(start: Start) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin_of(process)
    assert process.end(signal.SIGINT) == 0


def test_a_second_signal_ends_it_at_once_with_one_line(start: Start) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    parts = urlsplit(origin_of(process))
    with closing(socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)) as endless:
        head = f"Host: {parts.netloc}\r\nContent-Type: application/activity+json\r\nContent-Length: 1000\r\n"
        endless.sendall(f"POST /inbox HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n".encode())
        assert endless.recv(100).startswith(b"HTTP/1.1 100")
        process.popen.send_signal(signal.SIGTERM)
        assert process.end(signal.SIGINT) == 1
    assert process.said[-1].startswith("Stopped at once")
    assert not any("Traceback" in line for line in process.said)


def test_stopping_does_not_wait_for_connections_that_idle(start: Start) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    parts = urlsplit(origin_of(process))
    with closing(HTTPConnection(parts.netloc, timeout=20)) as idle:
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        assert process.end() == 0


@pytest.mark.slow
def test_a_request_that_never_ends_holds_it_up_for_ten_seconds_at_most(start: Start) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    parts = urlsplit(origin_of(process))
    assert parts.hostname is not None
    with closing(socket.create_connection((parts.hostname, parts.port or 80), timeout=20)) as endless:
        head = f"Host: {parts.netloc}\r\nContent-Type: application/activity+json\r\nContent-Length: 1000\r\n"
        endless.sendall(f"POST /inbox HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n".encode())
        assert endless.recv(100).startswith(b"HTTP/1.1 100")  # the application reads the body now
        began = time.monotonic()
        assert process.end() == 0
        assert time.monotonic() - began < 10


def test_what_was_written_outlives_being_killed(start: Start, run: Run) -> None:
    words = ("serve", "--listen", LOOPBACK, "--data", "data")
    process = start(*words)
    origin = origin_of(process)
    assert set_up(setup_link(process)) in (302, 303)
    made = run("post", "alice", "--data", "data", stdin="Still here")
    assert made.status == 0, made.err
    path = urlsplit(made.out.strip()).path
    assert "Still here" in request(origin + path)[2]
    process.end(signal.SIGKILL)
    again = start(*words, "--origin", origin)
    again.until("is ready")
    port = re.search(r"listening on 127\.0\.0\.1:(\d+)", again.said[-1])
    assert port is not None
    parts = urlsplit(origin)
    with closing(HTTPConnection("127.0.0.1", int(port[1]), timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": parts.netloc, "Accept": "text/html"})
        assert "Still here" in connection.getresponse().read().decode()
    assert again.end() == 0


def test_a_unix_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with closing(socket.socket(socket.AF_UNIX)) as stale:
        stale.bind(str(path))  # and nobody listens on it
    process = start("serve", "--listen", f"unix:{path}", "--data", "data", "--origin", ORIGIN)
    process.until("is ready")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: blog.example\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    second = start("serve", "--listen", f"unix:{path}", "--data", "other", "--origin", ORIGIN)
    assert second.wait() == 1
    assert "is in use already" in second.said[-1]
    assert process.end() == 0
    assert not path.exists()


def test_a_port_in_use(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        process = start("serve", "--listen", f"127.0.0.1:{port}", "--data", "data")
        assert process.wait() == 1
    assert process.said == [
        f"fediblog: 127.0.0.1:{port} is in use already. Stop what listens there, or choose another place with --listen."
    ]


def test_a_folder_has_one_worker(start: Start) -> None:
    first = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin = origin_of(first)
    second = start("serve", "--role", "worker", "--data", "data")
    assert second.wait() == 1
    assert "Another fediblog already works with the folder data" in second.said[-1]
    web = start("serve", "--role", "web", "--listen", LOOPBACK, "--data", "data", "--origin", origin)
    web.until("is ready")
    assert web.end() == 0
    assert first.end() == 0


def test_a_worker_alone_listens_nowhere(start: Start) -> None:
    process = start("serve", "--role", "worker", "--data", "data", "--origin", ORIGIN)
    process.until("delivers and fetches")
    assert process.end() == 0


def test_a_worker_that_fails_ends_the_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers and delivers nothing would go unnoticed; one that ends is started again."""

    async def fail(_worker: Worker) -> None:
        raise LookupError("a mistake")

    monkeypatch.setattr(Worker, "run", fail)
    ran = run("serve", "--listen", LOOPBACK, "--data", "data")
    assert ran.status == 1
    assert "server-failed" in ran.err
    assert "LookupError: a mistake" in ran.err


def test_another_origin_is_refused(start: Start, run: Run) -> None:
    words = ("--password-file", "-", "--data", "data")
    assert run("user", "add", "alice", *words, "--origin", ORIGIN, stdin=PASSWORD).status == 0
    process = start("serve", "--data", "data", "--listen", LOOPBACK, "--origin", "https://other.example")
    assert process.wait() == 2
    assert f"This data folder belongs to {ORIGIN}" in process.said[-1]


def test_misuse_is_said_without_a_traceback(start: Start) -> None:
    unknown = start("serve", FEDIBLOG_ORIGEN="https://blog.example")
    assert unknown.wait() == 2
    assert unknown.said[0].startswith("fediblog: FEDIBLOG_ORIGEN is not a setting.")
    public = start("serve", "--data", "data", "--listen", "0.0.0.0:0")
    assert public.wait() == 2
    assert "No origin is known yet" in public.said[-1]
    insecure = start("serve", "--data", "data", "--listen", LOOPBACK, "--origin", "http://blog.example")
    assert insecure.wait() == 2
    assert "is plain http" in insecure.said[-1]
    file = Path("file")
    file.touch()
    blocked = start("serve", "--data", "file/data", "--listen", LOOPBACK)
    assert blocked.wait() == 2
    assert "The data folder file/data cannot be used" in blocked.said[-1]


def test_a_trial_that_nobody_used_gets_its_real_origin(start: Start, run: Run, tmp_path: Path) -> None:
    trial = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin_of(trial)
    assert trial.end() == 0
    real = start("serve", "--listen", LOOPBACK, "--data", "data", "--origin", ORIGIN)
    real.until(f"is ready: {ORIGIN}")
    setup_link(real)
    assert real.end() == 0
    assert ask(tmp_path / "data", server_state.get, "origin") == ORIGIN


def test_a_trial_that_somebody_used_goes_live_by_its_own_command(start: Start, run: Run) -> None:
    trial = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin = origin_of(trial)
    assert set_up(setup_link(trial)) in (302, 303)
    assert trial.end() == 0
    real = start("serve", "--listen", LOOPBACK, "--data", "data", "--origin", ORIGIN)
    assert real.wait() == 2
    assert f"This data folder belongs to {origin}" in real.said[-1]
    assert f"fediblog go-live --origin {ORIGIN}" in real.said[-1]
    elsewhere = start("serve", "--listen", LOOPBACK, "--data", "data")
    assert "its links lead there" in elsewhere.until("!!")
    elsewhere.until("is ready")
    move = ("go-live", "--data", "data", "--origin", ORIGIN)
    assert "already works with the folder" in run(*move).err
    assert elsewhere.end() == 0
    assert run(*move).status == 0
    again = run("go-live", "--data", "data", "--origin", "https://other.example")
    assert (again.status, f"This is no trial: it is {ORIGIN}" in again.err) == (2, True)
    real = start("serve", "--listen", LOOPBACK, "--data", "data")
    real.until(f"is ready: {ORIGIN}")
    assert real.end() == 0


def test_lab_mode_is_said_loudly(start: Start) -> None:
    process = start(
        *("serve", "--listen", LOOPBACK, "--data", "data", "--origin", "http://blog.fedi.test"),
        FEDIBLOG_LAB_HOSTS="*.fedi.test",
    )
    assert "Lab mode: *.fedi.test" in process.until("!!")
    process.until("is ready: http://blog.fedi.test")
    assert process.end() == 0


def test_the_secret_and_the_database_are_for_the_server_alone(start: Start, tmp_path: Path) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin_of(process)
    assert process.end() == 0
    modes = {name: stat.S_IMODE(os.stat(tmp_path / "data" / name).st_mode) for name in ("secret", "fediblog.db")}
    assert modes == {"secret": 0o600, "fediblog.db": 0o600}
