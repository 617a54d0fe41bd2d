"""Commands for programs that use the API and for those who use them: tokens, custom emoji, announcements."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fediblog.actions import oauth_grants, site_actions
from fediblog.cli.command import Command
from fediblog.cli.command_site import on_site, own_account
from fediblog.cli.post_commands import moment
from fediblog.cli.terminal import say, tell, translated, utc
from fediblog.domain.scopes import SCOPES
from fediblog.errors import Misuse
from fediblog.federation import prepared_actions, uploads
from fediblog.federation.site import Site
from fediblog.store.posts import custom_emoji
from fediblog.store.readers import announcements

LIST, REMOVE = "list", "remove"


async def token(site: Site, args: Namespace) -> None:
    """A token, alone on its line: it is shown this once."""
    account = await site.db.read(own_account, args.account)
    made = await site.db.write(oauth_grants.grant_by_hand, account.id, args.scopes, args.name)
    say(made.secret)


async def add_emoji(site: Site, args: Namespace) -> None:
    """A picture for a name."""
    name = site_actions.check_emoji_name(args.name)
    try:
        data = await asyncio.to_thread(Path(args.file).read_bytes)
    except OSError as error:
        raise Misuse("misuse.picture-file", file=args.file, error=error.strerror) from None
    if len(data) > site_actions.EMOJI_BYTES:
        raise Misuse("misuse.emoji-too-large", file=args.file, n=site_actions.EMOJI_BYTES // 1024)
    server = await site.keys.instance_account()
    upload = await uploads.upload(site, server.id, data)
    await site.db.write(site_actions.add_emoji, site.urls, name, upload.id, args.category)
    tell("cli.emoji-added", name=name)


async def list_emoji(site: Site, _args: Namespace) -> None:
    """All custom emoji."""
    found = await site.db.read(custom_emoji.everything)
    for each in found:
        say(f":{each.name}:  {each.category}".rstrip())
    if not found:
        tell("cli.no-emoji-yet")


async def remove_emoji(site: Site, args: Namespace) -> None:
    """Take one away."""
    name = site_actions.check_emoji_name(args.name)
    await site.db.write(site_actions.remove_emoji, name)
    tell("cli.emoji-removed", name=name)


async def announce(site: Site, args: Namespace) -> None:
    """Announce something to everybody; or list the announcements, or take one back."""
    words: list[str] = args.words
    if words == [LIST]:
        await _list(site)
    elif words[0] == REMOVE and len(words) == 2 and words[1].isascii() and words[1].isdigit():
        await site.db.write(site_actions.withdraw, min(int(words[1]), (1 << 63) - 1))
        tell("cli.announcement-removed")
    else:
        ends = moment(args.until, "--until") if args.until else None
        wording = await prepared_actions.word(site, site_actions.announcement_texts(" ".join(words)), find=False)
        number = await site.db.write(site_actions.announce, site.urls, " ".join(words), ends, wording)
        tell("cli.announced", number=number)


async def _list(site: Site) -> None:
    found = await site.db.read(announcements.everything)
    for each in found:
        until = f"  {translated('cli.announced-until', at=utc(each.ends))}" if each.ends else ""
        say(f"{each.id}{until}  {' '.join(each.source.split())}")
    if not found:
        tell("cli.no-announcement")


def _token_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help=translated("argument.token-account"))
    parser.add_argument(
        "--scopes",
        required=True,
        metavar="SCOPES",
        help=translated("argument.scopes", scopes=", ".join(each for each in SCOPES if ":" not in each)),
    )
    parser.add_argument("--name", default="", help=translated("argument.token-name"))


def _emoji_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=translated("argument.emoji-name"))
    parser.add_argument("file", metavar="FILE", help=translated("argument.emoji-file"))
    parser.add_argument("--category", default="", help=translated("argument.category"))


def _emoji_name(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=translated("argument.known-emoji"))


def _announce_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("words", metavar="TEXT", nargs="+", help=translated("argument.announcement"))
    parser.add_argument("--until", metavar="TIME", help=translated("argument.until"))


COMMANDS = (
    Command(
        words=("token",),
        usage='ACCOUNT --scopes "read"',
        examples=(
            'fediblog token alice --scopes "read write"',
            'fediblog token alice --scopes "write:statuses" --name "the weather script"',
        ),
        arguments=_token_arguments,
        run=on_site(token),
    ),
    Command(
        words=("emoji", "add"),
        usage="NAME FILE",
        examples=("fediblog emoji add blobcat blobcat.png --category Cats",),
        arguments=_emoji_arguments,
        run=on_site(add_emoji),
    ),
    Command(words=("emoji", "list"), usage="", run=on_site(list_emoji)),
    Command(
        words=("emoji", "remove"),
        usage="NAME",
        examples=("fediblog emoji remove blobcat",),
        arguments=_emoji_name,
        run=on_site(remove_emoji),
    ),
    Command(
        words=("announce",),
        usage="TEXT | list | remove ID",
        examples=(
            'fediblog announce "Back in ten minutes: a new disk." --until 2030-05-01T09:00',
            "fediblog announce list",
            "fediblog announce remove 1234",
        ),
        arguments=_announce_arguments,
        run=on_site(announce),
    ),
)
