"""The streams that an app may listen to: their names, what they need, and what each scope opens."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from fediblog.domain.scopes import covers
from fediblog.errors import Forbidden, Invalid
from fediblog.hashtags import key
from fediblog.mastodon.params import whole
from fediblog.store.people.apps import AccessToken

USER, NOTICES, LIST, DIRECT, TAG, PUBLIC = "user", "user:notification", "list", "direct", "hashtag", "public"
STREAMS: dict[str, tuple[str, str]] = {
    USER: ("read:statuses", "the home timeline; with `read:notifications` also what happened to the account"),
    NOTICES: ("read:notifications", "only what happened to the account"),
    DIRECT: ("read:statuses", "private conversations"),
    LIST: ("read:lists", "a list of the account: `list=NUMBER`"),
    TAG: ("read:statuses", "public posts with a hashtag: `tag=NAME`"),
    f"{TAG}:local": ("read:statuses", "public posts with a hashtag that were written here: `tag=NAME`"),
    PUBLIC: ("read:statuses", "public posts that are known here"),
    f"{PUBLIC}:media": ("read:statuses", "public posts that are known here, with files"),
    f"{PUBLIC}:local": ("read:statuses", "public posts that were written here"),
    f"{PUBLIC}:local:media": ("read:statuses", "public posts that were written here, with files"),
    f"{PUBLIC}:remote": ("read:statuses", "public posts of others"),
    f"{PUBLIC}:remote:media": ("read:statuses", "public posts of others, with files"),
}
"""Every stream by its name: the scope that it needs, and what is sent there."""
LONGEST_TAG = 200


class Stream(Struct, frozen=True):
    """One stream: its name, and which list or hashtag it is about."""

    name: str
    about: str = ""

    @property
    def label(self) -> list[str]:
        """What an event says of where it comes from."""
        return [self.name, self.about] if self.about else [self.name]

    @property
    def kind(self) -> str:
        """The first part of its name."""
        return NOTICES if self.name == NOTICES else self.name.partition(":")[0]

    @property
    def is_local(self) -> bool:
        """Whether only our own posts are in it."""
        return ":local" in self.name

    @property
    def is_remote(self) -> bool:
        """Whether only posts of others are in it."""
        return ":remote" in self.name

    @property
    def is_media(self) -> bool:
        """Whether only posts with pictures are in it."""
        return self.name.endswith(":media")


def stream_of(given: Mapping[str, object]) -> Stream:
    """The stream that a request names with `stream`, `list` and `tag`. Raises Invalid for one that there is not."""
    name = str(given.get("stream") or "")
    if name == LIST:
        number = whole(given.get("list"))
        if number is None:
            raise Invalid("list", "api.stream-list")
        return Stream(name, str(number))
    if name in (TAG, f"{TAG}:local"):
        tag = key(str(given.get("tag") or "")[:LONGEST_TAG])
        if not tag:
            raise Invalid("tag", "api.stream-tag")
        return Stream(name, tag)
    if name not in STREAMS:
        raise Invalid("stream", "api.stream-unknown")
    return Stream(name)


def admit(stream: Stream, token: AccessToken) -> None:
    """Raises Forbidden unless the token may listen to the stream."""
    if token.account is None or not covers(token.scopes, STREAMS[stream.name][0]):
        raise Forbidden("api.scope-missing")


def hears_notices(token: AccessToken) -> bool:
    """Whether the `user` stream of that token tells of notices as well."""
    return covers(token.scopes, "read:notifications")
