"""Somebody of ours who has signed in, without the log-in page, and a judge of the pages that are shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.federation.site import Site
from fediblog.store.people import logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed

Pair = tuple[str, str]
_CSRF = "the token of the forms"
_LINKS = frozenset({"href", "src", "action", "poster", "cite", "data", "formaction", "background", "srcset", "ping"})
_NEVER = frozenset({"script", "style", "iframe", "object", "embed", "applet", "base", "frame", "frameset", "template"})
_LEADS = re.compile(r"(?:https?://|mailto:|/(?![/\\])|#|\?)", re.IGNORECASE)


def visitor(site: Site, app: Any = None, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A browser in which nobody has signed in; from our own machine, so that no limit is met."""
    transport = httpx.ASGITransport(app or create_app(site), client=(address, 5000), raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url=site.urls.origin, headers={"accept": "text/html"})


async def reader(site: Site, account: Account, app: Any = None) -> httpx.AsyncClient:
    """A browser in which the login of that account has signed in; its forms' token is `_CSRF`."""
    token = f"token-of-{account.handle}"

    def begin(tx: Tx) -> None:
        end = tx.now + 86_400_000
        logins.open_session(
            tx,
            Session(
                token=hashed(token),
                login=account.login or 0,
                account=account.id,
                csrf=_CSRF,
                created=tx.now,
                seen=tx.now,
                expires=end,
                agent="",
            ),
        )

    await site.db.write(begin)
    browser = visitor(site, app)
    browser.cookies.set("__Host-session", token, domain=site.urls.host)
    return browser


async def press(browser: httpx.AsyncClient, path: str, data: dict[str, Any] | None = None) -> httpx.Response:
    """Send one of our forms."""
    origin = str(browser.base_url).rstrip("/")
    return await browser.post(path, data={"csrf": _CSRF, **(data or {})}, headers={"origin": origin})


_OUR_SCRIPT = re.compile(r"/static/[a-z-]+\.js\?v=[0-9a-f]+\Z")


@dataclass
class Page(HTMLParser):
    """A page as a browser would take it apart; what must never be on one is refused at once."""

    pairs: set[Pair] = field(default_factory=set)
    forms: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    in_data: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_data = tag == "script" and attrs == [("type", "application/ld+json")]  # which nobody runs
        ours = tag == "script" and bool(_OUR_SCRIPT.match(dict(attrs).get("src") or ""))
        assert self.in_data or ours or tag not in _NEVER, f"<{tag}>"
        assert not (tag == "meta" and dict(attrs).get("http-equiv")), attrs
        self.pairs.add((tag, ""))
        for name, value in attrs:
            self.pairs.add((tag, name))
            assert not name.startswith("on"), f"{name}={value}"
            assert name != "style", f"{name}={value}"
            if name in _LINKS:
                assert _LEADS.match(value or ""), f"{tag} {name}={value}"
            if name == "action":
                self.forms.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.in_data:
            assert json.loads(data)["@context"] == "https://schema.org"  # so nothing within ended it
        else:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_data = False

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")


def taken_apart(html: str) -> Page:
    """The page, looked through."""
    page = Page()
    page.feed(html)
    page.close()
    assert all(action.startswith("/") and not action.startswith("//") for action in page.forms), page.forms
    return page
