"""A real `fediblog serve`, and somebody who sits before a browser and lets apps in: for clients that others wrote."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from fediblog.cli import main
from tests.cli.conftest import PASSWORD, Process

WIDE = ("read", "write", "follow", "push", "profile", "admin:read", "admin:write")
OOB = "urn:ietf:wg:oauth:2.0:oob"  # the code is shown, to be copied (as old as OAuth 2's drafts, and still in use)
PEOPLE = {"alice": "alice", "garden": "alice", "bob": "bob"}  # whose login; Alice owns the server
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A server that runs: `origin` is where."""

    origin: str

    def browser(self, login: str) -> Browser:
        """Somebody who has signed in."""
        person = Browser(self.origin)
        person.sign_in(login)
        return person

    def app(self, *, redirect: str = OOB, scopes: tuple[str, ...] = WIDE) -> tuple[str, str]:
        """client_id and client_secret of an app that is known now."""
        form = {"client_name": "App", "redirect_uris": redirect, "scopes": " ".join(scopes)}
        found = httpx.post(f"{self.origin}/api/v1/apps", data=form, timeout=SECONDS, trust_env=False).json()
        return found["client_id"], found["client_secret"]

    def token(self, handle: str, *, scopes: tuple[str, ...] = WIDE) -> str:
        """A token for an account, got as apps get one."""
        client, secret = self.app(scopes=scopes)
        asked = {"client_id": client, "redirect_uri": OOB, "response_type": "code", "scope": " ".join(scopes)}
        code = self.browser(PEOPLE[handle]).allow(f"{self.origin}/oauth/authorize?{urlencode(asked)}", handle)
        form = {**asked, "client_secret": secret, "grant_type": "authorization_code", "code": code}
        answer = httpx.post(f"{self.origin}/oauth/token", data=form, timeout=SECONDS, trust_env=False)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


class Browser:
    """Follows links and sends forms as they are, with its cookies."""

    def __init__(self, origin: str) -> None:
        headers = {"accept": "text/html", "origin": origin, "sec-fetch-site": "same-origin"}
        self.http = httpx.Client(base_url=origin, headers=headers, timeout=SECONDS, trust_env=False)

    def sign_in(self, login: str) -> None:
        """By the form."""
        page = self.http.get("/login")
        answer = self.http.post("/login", data=self._fields(page.text) | {"name": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        assert self.http.cookies

    def allow(self, url: str, handle: str) -> str:
        """Open what an app points to, choose the account, press Allow; the code."""
        page = self.http.get(url)
        assert page.status_code == 200, page.text
        action = re.search(r'<form class="card sheet" method="post" action="([^"]+)"', page.text)
        assert action is not None, page.text
        form = self._fields(page.text) | {"account": self._account(page.text, handle), "answer": "allow"}
        answer = self.http.post(unescape(action[1]), data=form)
        assert answer.status_code == 303, answer.text
        goal: str = answer.headers["location"]
        code = parse_qs(urlsplit(goal).query)["code"][0]
        if goal.startswith("/"):
            assert code in self.http.get(goal).text  # shown, to be copied
        return code

    def _fields(self, page: str) -> dict[str, str]:
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
        return {name: unescape(value) for name, value in found}

    def _account(self, page: str, handle: str) -> str:
        """The value of the choice beside which the handle stands, or of the only one."""
        choices: list[tuple[str, str]] = re.findall(r'name="account" value="(\d+)"(.*?)(?=</label>|</p>)', page, re.S)
        return next(number for number, beside in choices if f"@{handle}" in unescape(beside))


@contextmanager
def serving(folder: Path) -> Iterator[ApiServer]:
    """A server with Alice, who has two accounts, and Bob, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    origin, data, secret = f"http://127.0.0.1:{port}", folder / "data", folder / "password"
    secret.write_text(f"{PASSWORD}\n")
    for login in dict.fromkeys(PEOPLE.values()):
        words = ("user", "add", login, "--password-file", str(secret), "--origin", origin, "--data", str(data))
        assert main(words) == 0
    for handle, login in PEOPLE.items():
        assert main(("account", "add", login, handle, "--name", handle.title(), "--data", str(data))) == 0
    start = ("serve", "--data", str(data), "--origin", origin, "--listen", f"127.0.0.1:{port}")
    popen = subprocess.Popen(
        [sys.executable, "-m", "fediblog", *start],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("FEDIBLOG_")},
    )
    process = Process(popen)
    try:
        process.until("is ready")
        yield ApiServer(origin)
        assert process.end() == 0
    finally:
        popen.kill()
        popen.wait()
    bugs = [line for line in process.said if "Traceback" in line or '"bug"' in line]
    assert not bugs, "\n".join(process.said[-60:])
