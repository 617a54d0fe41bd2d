"""Checks of the doctor that ask as a stranger would, through the proxy: the address, handles, documents, the clock."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from fediblog.cli.doctor_local import Finding
from fediblog.cli.terminal import language, translated
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Json
from fediblog.domain.urls import is_trial
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.net import Response
from fediblog.protocol import json_values
from fediblog.protocol.jsontext import decode
from fediblog.protocol.negotiate import ACCEPT
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, relation_lists
from fediblog.store.tx import Tx

MOST_SKEW = 60  # seconds; other servers refuse signatures that are off by more than some minutes
MOST_ASKED = 3  # other servers whose clocks are looked at


async def address(site: Site) -> list[Finding]:
    """Whether the server answers under its own address."""
    url = f"{site.urls.origin}/.well-known/nodeinfo"
    answer = await _ask(site, url, "application/json")
    if isinstance(answer, str):
        advice = _with_proxy(translated("doctor.lead-here", host=site.urls.host))
        return [Finding("wrong", translated("doctor.unreachable", address=site.urls.origin, error=answer), advice)]
    if answer.status != 200 or f"{site.urls.origin}/nodeinfo/" not in answer.body.decode("utf-8", "replace"):
        fact = translated("doctor.strange-answer", address=url, status=answer.status)
        return [Finding("wrong", fact, _with_proxy(translated("doctor.pass-paths")))]
    if is_trial(site.urls.origin):
        fact = translated("doctor.answers-here", address=site.urls.origin)
        return [Finding("note", fact, translated("doctor.start-real", data=site.settings.data_option))]
    return [Finding("good", translated("doctor.answers", address=site.urls.origin))]


async def handles(site: Site) -> list[Finding]:
    """Whether others find our people by their handles."""
    account = await site.db.read(_first_account)
    if account is None:
        return []
    domain = site.urls.handle_domain
    base = site.urls.origin if domain == site.urls.host else f"https://{domain}"
    answer = await _ask(site, f"{base}/.well-known/webfinger?resource=acct:{account.acct}", "application/jrd+json")
    advice = _with_proxy(translated("doctor.lead-webfinger", domain=domain, origin=site.urls.origin))
    if isinstance(answer, str):
        return [Finding("wrong", translated("doctor.not-found", handle=account.acct, error=answer), advice)]
    if answer.status != 200 or account.uri.encode() not in answer.body:
        return [
            Finding("wrong", translated("doctor.not-found-status", handle=account.acct, status=answer.status), advice)
        ]
    return [Finding("good", translated("doctor.found", handle=account.acct))]


async def documents(site: Site) -> list[Finding]:
    """Whether an account's id gives its document: caches that mix it up with the page are a common trouble."""
    account = await site.db.read(_first_account)
    if account is None:
        return []
    answer = await _ask(site, account.uri, ACCEPT)
    advice = _with_proxy(translated("doctor.cache-apart"))
    if isinstance(answer, str):
        return [Finding("wrong", translated("doctor.unreachable", address=account.uri, error=answer), advice)]
    if answer.status in (401, 403) and site.settings.authorized_fetch:
        return [Finding("good", translated("doctor.document-signed", address=account.uri))]
    if answer.status != 200 or _id_of(answer) != account.uri:
        return [Finding("wrong", translated("doctor.no-document", address=account.uri, status=answer.status), advice)]
    return [Finding("good", translated("doctor.document", address=account.uri))]


async def clock(site: Site) -> list[Finding]:
    """Whether our clock agrees with those of servers whose people ours follow."""
    found = [off for origin in await site.db.read(_others) if (off := await _skew(site, origin)) is not None]
    if not found:
        return [Finding("note", translated("doctor.clock-unknown"))]
    middle = sorted(found)[len(found) // 2]
    if abs(middle) > MOST_SKEW:
        fact = translated("doctor.clock-ahead" if middle > 0 else "doctor.clock-behind", n=round(abs(middle)))
        return [Finding("wrong", fact, translated("doctor.set-clock"))]
    return [Finding("good", translated("doctor.clock-good", n=len(found), seconds=round(abs(middle))))]


async def _skew(site: Site, origin: str) -> float | None:
    """By how many seconds our clock is ahead of that server's."""
    answer = await _ask(site, f"{origin}/.well-known/nodeinfo", "application/json")
    date = None if isinstance(answer, str) else answer.header("date")
    try:
        return site.clock() / 1000 - parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


async def _ask(site: Site, url: str, accept: str) -> Response | str:
    """The answer, or why there is none."""
    try:
        return await site.client.fetch(url, accept=accept, fresh=True)
    except (Refused, Unavailable) as error:
        return error.sentence(language())


def _with_proxy(advice: str) -> str:
    return f"{advice} {translated('doctor.proxy')}"


def _id_of(answer: Response) -> Json:
    try:
        return json_values.fields(decode(answer.body)).get("id")
    except Refused:
        return None


def _first_account(tx: Tx) -> Account | None:
    return next((each for each in accounts.ours(tx) if each.state == "active"), None)


def _others(tx: Tx) -> list[str]:
    """Origins of a few servers whose people ours follow."""
    followed = (each for own in accounts.ours(tx) for each in relation_lists.following(tx, own.id, Window(limit=40)))
    people = (each.account for each in followed if not each.account.local)
    parts = (urlsplit(each.uri) for each in people)
    return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))[:MOST_ASKED]
