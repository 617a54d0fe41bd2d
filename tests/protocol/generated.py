"""Hypothesis strategies: any JSON at all, and actors and posts such as we send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fediblog.domain.documents import (
    PUBLIC,
    Actor,
    Attachment,
    Emoji,
    Json,
    Key,
    Mention,
    Note,
    Option,
    Picture,
    Poll,
    ProfileField,
    Source,
)

HOST = "https://alice.example"

_KEYS = """
    id type actor object attributedTo to cc url href tag attachment name content summary icon image inbox endpoints
    publicKey owner publicKeyPem sharedInbox items orderedItems first next totalItems oneOf replies published closed
    contentMap @context language location source duration focalPoint preferredUsername links rel subject
"""
_TELLING = """
    Note Person Create Undo Question Event Video Mention Hashtag Emoji Collection as:Public text/html video/mp4 alice
    https://alice.example/users/alice https://alice.example/1 http://[::1 https://a:99999/ PT1S acct:a@alice.example
    2024-02-30T10:00:00Z 9999-12-31T23:59:59-12:00 0000-01-01
"""
KEYS = st.sampled_from(_KEYS.split())
STRINGS = st.one_of(st.text(max_size=20), st.sampled_from(_TELLING.split()))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), STRINGS)
anything: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.text(max_size=5)), inner, max_size=6)
    ),
    max_leaves=20,
)
objects = st.dictionaries(KEYS, anything, max_size=10)

LETTERS = st.characters(categories=("L", "N", "P", "S"), exclude_characters="#＃:@")
words = st.text(LETTERS, min_size=1, max_size=12)
lines = st.lists(words, max_size=4).map(" ".join)
paths = st.text("abcdefghij0123456789/-_", min_size=1, max_size=20)
uris = paths.map(lambda path: f"{HOST}/{path}")
far = st.builds("https://{}.example/{}".format, st.text("abc", min_size=1, max_size=5), paths)
maybe_uri = st.one_of(st.just(""), uris)
moments = st.integers(-62_135_596_800_000, 253_402_300_799_000)
counts = st.one_of(st.none(), st.integers(0, 10_000))
texts = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t"), max_size=60)
languages = st.sampled_from(["", "en", "de", "pt-BR", "zh-Hant"])
pictures = st.builds(
    Picture,
    url=far,
    media_type=st.sampled_from(["", "image/png", "image/jpeg"]),
    alt=texts.map(str.strip),
    caption=st.sampled_from(["", "Oak & <i>elm</i>"]),
)
emoji = st.builds(Emoji, name=words, url=far)
mentions = st.builds(Mention, href=far, name=lines)


def few(strategy: st.SearchStrategy[object], limit: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=limit, unique=True).map(tuple)


def _named(strategy: st.SearchStrategy[Emoji]) -> st.SearchStrategy[tuple[Emoji, ...]]:
    return st.lists(strategy, max_size=3, unique_by=lambda found: found.name).map(tuple)


attachments = st.builds(
    Attachment,
    kind=st.sampled_from(["Image", "Video", "Audio", "Document"]),
    url=far,
    media_type=st.sampled_from(["", "image/png", "video/mp4"]),
    alt=texts.map(str.strip),
    width=st.one_of(st.none(), st.integers(1, 9999)),
    height=st.one_of(st.none(), st.integers(1, 9999)),
    blurhash=st.sampled_from(["", "LEHV6nWB2yk8pyo0adR*.7kCMdnj"]),
    focus=st.one_of(st.none(), st.tuples(st.floats(-1, 1), st.floats(-1, 1))),
    duration=st.one_of(st.none(), st.integers(0, 9_000_000).map(lambda ms: ms / 1000)),
    preview=st.one_of(st.just(""), far),
)
polls = st.builds(
    Poll,
    options=st.lists(
        st.builds(Option, name=words, votes=st.integers(0, 99)), min_size=1, max_size=5, unique_by=lambda o: o.name
    ).map(tuple),
    multiple=st.booleans(),
    ends=st.one_of(st.none(), moments),
    closed=st.one_of(st.none(), moments),
    voters=counts,
)
audiences = few(st.one_of(st.just(PUBLIC), far, uris), 4)


@st.composite
def notes(draw: st.DrawFn) -> Note:
    """A Note, Article or Question of ours."""
    kind = draw(st.sampled_from(["Note", "Article", "Question"]))
    article = kind == "Article"
    shared: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {
                "uri": uris,
                "author": uris,
                "to": audiences,
                "cc": audiences,
                "summary": texts.filter(lambda text: not text or bool(text.strip())),
                "content": texts,
                "media_type": st.sampled_from(["text/html", "text/markdown"]),
                "language": languages,
                "source": st.one_of(
                    st.none(), st.builds(Source, content=texts.filter(bool), media_type=st.just("text/markdown"))
                ),
                "url": maybe_uri,
                "in_reply_to": st.one_of(st.just(""), far),
                "published": st.one_of(st.none(), moments),
                "updated": st.one_of(st.none(), moments),
                "sensitive": st.booleans(),
                "mentions": few(mentions),
                "hashtags": st.lists(words, max_size=3, unique_by=str.casefold).map(tuple),
                "emoji": _named(emoji),
                "attachments": st.lists(attachments, max_size=3).map(tuple),
                "quote": st.one_of(st.just(""), far),
                "context": maybe_uri,
                "conversation": st.sampled_from(["", "tag:alice.example,2024:1", f"{HOST}/conversations/1"]),
                "replies": maybe_uri,
                "likes": maybe_uri,
                "shares": maybe_uri,
                "reply_count": counts,
                "like_count": counts,
                "share_count": counts,
            }
        )
    )
    return Note(
        kind=kind,
        title=draw(lines) if article else "",
        warning=draw(lines) if article else "",
        image=draw(st.one_of(st.none(), pictures)) if article else None,
        poll=draw(polls) if kind == "Question" else None,
        **shared,
    )


@st.composite
def actors(draw: st.DrawFn) -> Actor:
    """An actor of ours with its keys."""
    uri = draw(uris)
    pem = Key(uri=f"{uri}#main-key", owner=uri, kind="rsa", public="-----BEGIN PUBLIC KEY-----\nMIIB\n-----END")
    multikey = Key(uri=f"{uri}#ed25519-key", owner=uri, kind="ed25519", public="z6MkweqJajqa5jRAJTBVxxu47oCdB7Hzm")
    return Actor(
        uri=uri,
        kind=draw(st.sampled_from(["Person", "Service", "Group", "Organization", "Application"])),
        handle=draw(st.text("abcdefghij0123456789_", min_size=1, max_size=30)),
        inbox=draw(uris),
        name=draw(lines),
        summary=draw(texts),
        url=draw(maybe_uri),
        shared_inbox=draw(maybe_uri),
        outbox=draw(maybe_uri),
        followers=draw(maybe_uri),
        following=draw(maybe_uri),
        featured=draw(maybe_uri),
        featured_tags=draw(maybe_uri),
        icon=draw(st.one_of(st.none(), pictures)),
        image=draw(st.one_of(st.none(), pictures)),
        fields=tuple(draw(st.lists(st.builds(ProfileField, name=words, value=texts), max_size=4))),
        also_known_as=tuple(draw(st.lists(far, max_size=3, unique=True))),
        attribution_domains=tuple(draw(st.lists(st.sampled_from(("a.example", "b.example:8443")), unique=True))),
        moved_to=draw(st.one_of(st.just(""), far)),
        webfinger=draw(st.sampled_from(["", "alice@example.org", "a_b@xn--bcher-kva.example:8443"])),
        locked=draw(st.booleans()),
        discoverable=draw(st.booleans()),
        indexable=draw(st.booleans()),
        memorial=draw(st.booleans()),
        suspended=draw(st.booleans()),
        published=draw(st.one_of(st.none(), moments)),
        keys=draw(st.sampled_from([(), (pem,), (multikey,), (pem, multikey)])),
        emoji=draw(_named(emoji)),
    )
