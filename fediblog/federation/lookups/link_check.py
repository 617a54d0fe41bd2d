"""Looks whether the pages to which our people's profiles link say that they are of the same person."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups.cleaning import clean_apart
from fediblog.federation.lookups.document_fetch import fetch
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.net import Response
from fediblog.protocol import link_relations
from fediblog.store.people import accounts, verified_links
from fediblog.store.people.accounts import host_of

LIMIT = 1_000_000  # bytes of a page
DEADLINE = 10.0  # seconds for each


async def check(site: Site, number: int) -> None:
    """Fetch each page to which the profile of an account of ours links, and store which of them link back."""
    account = await site.db.read(accounts.get, number)
    if account is None or not account.local or account.state != "active":
        return
    links = link_relations.field_links(account.fields)
    budget = Budget(len(links))
    found = {link: await _links_back(site, link, account, budget) for link in links}
    await site.db.write(verified_links.put, number, found)


async def _links_back(site: Site, link: str, account: Account, budget: Budget) -> bool:
    """Whether the page is there and links back. Pages of our own prove nothing, nor does one on another host."""
    try:
        answer = await fetch(
            site,
            link,
            budget,
            accept="text/html",
            fresh=True,
            elsewhere=True,
            signed=False,
            limit=LIMIT,
            deadline=DEADLINE,
        )
    except (Refused, Unavailable):
        return False
    if _bare(answer.url) != _bare(link):
        return False
    return await clean_apart(_says_so, (answer, (account.url, account.uri)), len(answer.body))


def _bare(address: str) -> str:
    return host_of(address).removeprefix("www.")


def _says_so(asked: tuple[Response, tuple[str, ...]]) -> bool:
    answer, profile = asked
    kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml"):
        return False
    headers = [value for name, value in answer.headers if name == "link"]
    return link_relations.links_back(answer.body.decode("utf-8", "replace"), headers, answer.url, profile)
