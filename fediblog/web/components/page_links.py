"""Where the links of a page lead."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls


class Links(Struct, frozen=True):
    """Where a link should lead, for this visitor: inside of the site for those who have signed in."""

    urls: Urls
    signed_in: bool

    def post(self, post: Post) -> str:
        """The page of a post."""
        if post.local and post.state == "published":
            return self._path(post.url)
        return f"/post/{post.id}" if self.signed_in else post.url or post.uri

    def account(self, account: Account) -> str:
        """The page of an account."""
        if account.local:
            return f"/@{account.handle}"
        return f"/account/{account.id}" if self.signed_in else account.url or account.uri

    def tag(self, name: str) -> str:
        """The page of a hashtag."""
        return self._path(self.urls.tag(name))

    def category(self, slug: str) -> str:
        """The page of a category."""
        return f"/category/{quote(slug)}"

    def picture(self, name: str) -> str:
        """A stored file."""
        return self._path(self.urls.media(name))

    def shown(self, account: Account, url: str, size: str = "") -> str:
        """Where a picture that an account shows is loaded from, see `shown_in`."""
        return "" if account.media_rejected else self.loaded(f"a{account.id}", url, size)

    def shown_in(self, post: Post, url: str, size: str = "") -> str:
        """Where a picture or file that a post shows is loaded from: always here. `size` is small or nothing.

        Nothing of whom this server rejects media: there stands a link.
        """
        return "" if post.account.media_rejected else self.loaded(f"p{post.id}", url, size)

    def loaded(self, owner: str, url: str, size: str = "") -> str:
        """Where a picture is loaded from, see `Urls.copy`."""
        return self._path(self.urls.copy(owner, url, size))

    def emoji(self, url: str) -> str:
        """Where the picture of a custom emoji is loaded from: always here."""
        return self._path(self.urls.emoji_copy(url))

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, urls: Urls, signed_in: bool) -> Links:
        """The links for such a visitor: always the same ones, so that what was made of them is found at once."""
        return cls(urls, signed_in)

    def _path(self, url: str) -> str:
        return url.removeprefix(self.urls.origin) if self.urls.owns(url) else url
