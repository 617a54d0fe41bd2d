"""Commands that act as one of the accounts: write a post, follow, stop following."""

from __future__ import annotations

import argparse
import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from fediblog.actions import follow_actions
from fediblog.actions.post_actions import Draft, File
from fediblog.cli.command import Command
from fediblog.cli.command_site import on_site, own_account
from fediblog.cli.terminal import language, say, tell, translated, utc
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Misuse, NotFound
from fediblog.federation import prepared_actions, uploads
from fediblog.federation.site import Site
from fediblog.media.formats import focal_point
from fediblog.store.people import accounts
from fediblog.store.posts import categories, posts
from fediblog.store.tx import Tx

VISIBILITIES = tuple(each.value for each in (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS))

COMMENTS = {"everyone": "public", "followers": "followers", "nobody": "nobody"}


class Attached(Struct):
    """A picture to go with the post, and its description."""

    path: str
    alt: str = ""
    focus: tuple[float, float] | None = None


async def post(site: Site, args: Namespace) -> None:
    """Write a post; print where it is."""
    scheduled = moment(args.at) if args.at else None
    source = await asyncio.to_thread(read_text, args.file)
    author = await site.db.read(own_account, args.account)
    parent = await _named(site, author, args.reply_to) if args.reply_to else None
    quoted = await _named(site, author, args.quote) if args.quote else None
    draft = Draft(
        source=source,
        title=args.title,
        summary=args.summary,
        warning=args.warning,
        visibility=Visibility(args.visibility),
        language=args.language,
        reply_to=parent.id if parent else None,
        quote=quoted.id if quoted else None,
        categories=await site.db.read(_categories, args.category),
        comments=COMMENTS[args.comments],
        files=tuple([await attach(site, author, each) for each in args.attach or ()]),
        state="draft" if args.draft else "scheduled" if scheduled else "published",
        scheduled=scheduled,
    )
    made = await prepared_actions.publish(site, author.id, draft)
    say(_where(site, made, scheduled))


def _categories(tx: Tx, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(categories.named(tx, name) for name in names)


def _where(site: Site, made: Post, scheduled: int | None) -> str:
    if made.state == "published":
        return made.url
    edit = f"{site.urls.origin}/write/{made.id}"
    if scheduled is None:
        return translated("cli.draft-kept", address=edit)
    return translated("cli.scheduled", at=utc(scheduled), address=edit)


async def attach(site: Site, author: Account, attached: Attached) -> File:
    """Take a picture in, for a post that is about to be written."""
    try:
        data = await asyncio.to_thread(Path(attached.path).read_bytes)
    except OSError as error:
        raise Misuse("misuse.picture-file", file=attached.path, error=error.strerror) from None
    upload = await uploads.upload(site, author.id, data)
    return File(upload=upload.id, alt=attached.alt, focus=attached.focus)


async def _named(site: Site, author: Account, text: str) -> Post:
    """The post to answer or to quote: its number here, or its address anywhere."""
    found: object
    if text.isascii() and text.isdigit():
        found = await site.db.read(posts.get, int(text), author.id)
    else:
        known = await site.db.read(posts.by_link, text)
        found = await site.db.read(posts.get, known.id, author.id) if known else await prepared_actions.find(site, text)
    if not isinstance(found, Post):
        raise NotFound("cli.no-post", address=text)
    return found


def read_text(source: str) -> str:
    """The Markdown in a file, or on standard input."""
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse("misuse.text-file", file=source, error=error) from None


def moment(text: str, option: str = "--at") -> int:
    """A time as people write it, in UTC milliseconds; without an offset it is this machine's local time."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Misuse("misuse.setting", where=option, given=repr(text), expected=Misuse("expected.time")) from None


async def follow(site: Site, args: Namespace) -> None:
    """Follow somebody, here or elsewhere."""
    account = await site.db.read(own_account, args.account)
    other = await prepared_actions.follow(site, account.id, args.handle)
    tell("cli.follow-asked", handle=account.handle, other=other.acct)


async def unfollow(site: Site, args: Namespace) -> None:
    """Stop following somebody."""
    account = await site.db.read(own_account, args.account)
    other = await site.db.read(_known, site.urls.handle_domain, args.handle)
    await site.db.write(follow_actions.unfollow, site.urls, account.id, other.id)
    tell("cli.unfollowed", handle=account.handle, other=other.acct)


def _known(tx: Tx, own_domain: str, text: str) -> Account:
    handle, _, domain = text.strip().lstrip("@").partition("@")
    found = accounts.by_link(tx, text) if "://" in text else accounts.by_acct(tx, handle, domain or own_domain)
    if found is None:
        raise NotFound("cli.nobody-called", name=text)
    return found


def _point(parser: ArgumentParser, text: str) -> tuple[float, float]:
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        parser.error(
            Misuse("misuse.setting", where="--focus", given=repr(text), expected=Misuse("expected.focus")).sentence(
                language()
            )
        )
    return focal_point(x, y) or (0.0, 0.0)


class _Attach(argparse.Action):
    """`--attach FILE` begins a picture, `--alt TEXT` describes the one before it."""

    def __call__(
        self, parser: ArgumentParser, space: Namespace, values: str | Sequence[Any] | None, option: str | None = None
    ) -> None:
        found: list[Attached] = getattr(space, "attach", None) or []
        if option == "--attach":
            found.append(Attached(str(values)))
        elif option == "--focus" and found:
            found[-1].focus = _point(parser, str(values))
        elif option == "--focus":
            parser.error(translated("cli.focus-alone"))
        elif not found or found[-1].alt:
            parser.error(translated("cli.alt-alone"))
        else:
            found[-1].alt = str(values)
        space.attach = found


def _post_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help=translated("argument.author"))
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help=translated("argument.text"))
    parser.add_argument("--title", default="", help=translated("argument.title"))
    parser.add_argument("--summary", default="", help=translated("argument.summary"))
    parser.add_argument("--warning", default="", help=translated("argument.warning"))
    parser.add_argument("--visibility", choices=VISIBILITIES, default="public", help=translated("argument.visibility"))
    parser.add_argument("--language", metavar="CODE", default="", help=translated("argument.language"))
    parser.add_argument("--reply-to", metavar="POST", help=translated("argument.reply-to"))
    parser.add_argument("--quote", metavar="POST", help=translated("argument.quote"))
    parser.add_argument(
        "--category", action="append", default=[], metavar="NAME", help=translated("argument.post-category")
    )
    parser.add_argument("--comments", choices=tuple(COMMENTS), default="everyone", help=translated("argument.comments"))
    parser.add_argument("--attach", metavar="FILE", action=_Attach, help=translated("argument.attach"))
    parser.add_argument("--alt", metavar="TEXT", action=_Attach, help=translated("argument.alt"))
    parser.add_argument("--focus", metavar="X,Y", action=_Attach, help=translated("argument.focus"))
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--draft", action="store_true", help=translated("argument.draft"))
    when.add_argument("--at", metavar="TIME", help=translated("argument.at"))


def _pair(parser: ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help=translated("argument.follower"))
    parser.add_argument("handle", metavar="HANDLE", help=translated("argument.followed"))


COMMANDS = (
    Command(
        words=("post",),
        usage="ACCOUNT [FILE]",
        examples=(
            "echo 'Hello, fediverse! #introduction' | fediblog post alice",
            "fediblog post alice walk.md --title 'A walk' --attach hill.jpg --alt 'A green hill'",
            "fediblog post alice - --reply-to https://example.org/@bob/1234",
        ),
        arguments=_post_arguments,
        run=on_site(post),
    ),
    Command(
        words=("follow",),
        usage="ACCOUNT HANDLE",
        examples=("fediblog follow alice @bob@example.org",),
        arguments=_pair,
        run=on_site(follow),
    ),
    Command(
        words=("unfollow",),
        usage="ACCOUNT HANDLE",
        arguments=_pair,
        run=on_site(unfollow),
    ),
)
