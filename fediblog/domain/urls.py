"""Every address of this server in one place. Ids are opaque and for ever; the addresses for people are separate."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.hashtags import key

_ACTOR = re.compile(r"/a/([0-9]{1,19})\Z")
_POST = re.compile(r"/p/([0-9]{1,19})\Z")
_NOTE_PAGE = re.compile(r"/@[A-Za-z0-9_]{1,30}/([0-9]{1,19})\Z")


class Urls(Struct, frozen=True):
    """Addresses under `origin` (scheme://host[:port], no slash at the end); `handle_domain` stands in handles.

    `copies_key` makes the addresses of copies of other servers' files, which nobody else can make up.
    """

    origin: str
    handle_domain: str
    copies_key: bytes = b""

    @property
    def is_trial(self) -> bool:
        """Whether this is a server for trying out, on this machine alone."""
        return is_trial(self.origin)

    def of(self, account: Account) -> Urls:
        """The addresses of an account and all that it does: of ours under its own origin; these where it names none."""
        if account.origin in ("", self.origin):
            return self
        return Urls(origin=account.origin, handle_domain=account.domain, copies_key=self.copies_key)

    @property
    def host(self) -> str:
        """Host with its port, as it stands in a Host header."""
        return urlsplit(self.origin).netloc

    @property
    def shared_inbox(self) -> str:
        """Where everybody may deliver."""
        return f"{self.origin}/inbox"

    @property
    def instance_actor(self) -> str:
        """The actor that signs fetches nobody in particular asks for."""
        return f"{self.origin}/actor"

    def actor(self, number: int) -> str:
        """An account's id."""
        return f"{self.origin}/a/{number}"

    def post(self, number: int) -> str:
        """A post's id."""
        return f"{self.origin}/p/{number}"

    def activity(self, number: int) -> str:
        """The id of an activity that is served: the Create of a post, a boost or a like."""
        return f"{self.origin}/x/{number}"

    def transient_activity(self, actor: str, number: int) -> str:
        """The id of an activity that is only sent, such as a Follow: it leads to the actor, and tells nothing of it."""
        return f"{actor}#x/{number}"

    def vote(self, actor: str, number: int) -> str:
        """The id of the vote that an actor sends in the activity of that number."""
        return f"{self.transient_activity(actor, number)}/vote"

    def authorization(self, number: int) -> str:
        """The id of the proof that a post may quote one of ours (FEP-044f)."""
        return f"{self.origin}/q/{number}"

    def reply_authorization(self, number: int) -> str:
        """The id of the proof that a post may stand below one of ours."""
        return f"{self.origin}/r/{number}"

    def context(self, root: int) -> str:
        """The collection of all posts of a thread (FEP-f228)."""
        return f"{self.origin}/c/{root}"

    def profile(self, handle: str) -> str:
        """The page of an account, for people."""
        return f"{self.origin}/@{handle}"

    def page(self, handle: str, number: int, month: str = "", slug: str = "") -> str:
        """The page of a post, for people: with date and title for an article (`month` is YYYY/MM), else its number."""
        tail = f"{month}/{quote(slug)}" if slug else str(number)
        return f"{self.origin}/@{handle}/{tail}"

    def tag(self, name: str) -> str:
        """The page of a hashtag, for people."""
        return f"{self.origin}/tags/{quote(key(name))}"

    def emoji(self, name: str) -> str:
        """The id of a custom emoji of this server."""
        return f"{self.origin}/emoji/{name}"

    def media(self, name: str) -> str:
        """A stored file."""
        return f"{self.origin}/media/{name}"

    def copy(self, owner: str, url: str, size: str = "") -> str:
        """Where a picture or file is loaded from that `owner` shows, by its address: here, whoever has it.

        `owner` is `a`, `p` or `s` (account, post or page) and its number, `size` small or nothing. What is ours stays.
        """
        if not url or self.owns(url):
            return url
        path = f"{self.origin}/media/remote/{owner}/{_mark(self.copies_key, owner, url)}"
        return f"{path}.{size}" if size else path

    def emoji_copy(self, url: str) -> str:
        """Where the picture of a custom emoji is loaded from: one place, whoever shows it. What is ours stays."""
        if not url or self.owns(url):
            return url
        address = urlsafe_b64encode(url.encode()).rstrip(b"=").decode()
        return f"{self.origin}/media/emoji/{_mark(self.copies_key, 'e', url)}/{address}"

    def copied_emoji(self, mark: str, address: str) -> str | None:
        """The address of a picture whose copy has an address with these ends; None for one that we did not make."""
        try:
            url = urlsafe_b64decode(address + "=" * (-len(address) % 4)).decode()
        except ValueError:
            return None
        return url if _mark(self.copies_key, "e", url) == mark else None

    def is_copy(self, mark: str, owner: str, url: str) -> bool:
        """Whether the address of a copy that ends with this mark is that of what `owner` shows from `url`."""
        return _mark(self.copies_key, owner, url) == mark

    def owns(self, uri: str) -> bool:
        """Whether `uri` is an address of this server."""
        return uri == self.origin or uri.startswith(f"{self.origin}/")

    def actor_number(self, uri: str) -> int | None:
        """The account that an id or key id of ours names."""
        return self._number(_ACTOR, uri.split("#", 1)[0])

    def post_number(self, uri: str) -> int | None:
        """The post that an id, or the address of a note's page, of ours names."""
        return self._number(_POST, uri) or self._number(_NOTE_PAGE, uri)

    def _number(self, pattern: re.Pattern[str], uri: str) -> int | None:
        found = pattern.match(uri[len(self.origin) :]) if self.owns(uri) else None
        return int(found[1]) if found else None


def is_trial(origin: str) -> bool:
    """Whether the origin is plain http on this machine: for trying out, unreachable for anybody else."""
    parts = urlsplit(origin)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _mark(key: bytes, owner: str, url: str) -> str:
    """128 bits that only who has the key can tell, in 22 characters of an address."""
    digest = blake2b(f"{owner} {url}".encode(), digest_size=16, key=key).digest()
    return urlsafe_b64encode(digest)[:22].decode()
