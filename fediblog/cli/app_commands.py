"""Commands for programs that use the API and for those who use them: tokens, custom emoji, announcements."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from fediblog.actions import oauth_grants, site_actions
from fediblog.cli.command import Command
from fediblog.cli.command_site import on_site, own_account
from fediblog.cli.post_commands import moment
from fediblog.cli.terminal import say
from fediblog.domain.scopes import SCOPES
from fediblog.errors import Misuse
from fediblog.federation import uploads
from fediblog.federation.lookups import action_lookups
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
    say(f"Write :{name}: in a post, and the picture stands there.")


async def list_emoji(site: Site, _args: Namespace) -> None:
    """All custom emoji."""
    found = await site.db.read(custom_emoji.everything)
    for each in found:
        say(f":{each.name}:  {each.category}".rstrip())
    if not found:
        say("None yet. Add one with: fediblog emoji add NAME FILE")


async def remove_emoji(site: Site, args: Namespace) -> None:
    """Take one away."""
    name = site_actions.check_emoji_name(args.name)
    await site.db.write(site_actions.remove_emoji, name)
    say(f"Removed :{name}:. Posts that name it show its name from now on.")


async def announce(site: Site, args: Namespace) -> None:
    """Tell everybody something; or list what is told, or take it back."""
    words: list[str] = args.words
    if words == [LIST]:
        await _list(site)
    elif words[0] == REMOVE and len(words) == 2 and words[1].isascii() and words[1].isdigit():
        await site.db.write(site_actions.withdraw, min(int(words[1]), (1 << 63) - 1))
        say("Removed.")
    else:
        ends = moment(args.until, "--until") if args.until else None
        wording = await action_lookups.word(site, site_actions.announcement_texts(" ".join(words)), find=False)
        number = await site.db.write(site_actions.announce, site.urls, " ".join(words), ends, wording)
        say(f"Announced. To take it back: fediblog announce {REMOVE} {number}")


async def _list(site: Site) -> None:
    found = await site.db.read(announcements.everything)
    for each in found:
        until = f"  until {datetime.fromtimestamp(each.ends / 1000, UTC):%Y-%m-%d %H:%M} UTC" if each.ends else ""
        say(f"{each.id}{until}  {' '.join(each.source.split())}")
    if not found:
        say("Nothing is announced.")


def _token_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help="the account that it acts as: its handle")
    parser.add_argument(
        "--scopes",
        required=True,
        metavar="SCOPES",
        help=f"what it may do, separated by blanks: {', '.join(each for each in SCOPES if ':' not in each)},"
        " or narrower, such as read:statuses",
    )
    parser.add_argument("--name", default="", help="what it is for, as the page of your apps shows it")


def _emoji_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what is written between colons: letters, digits, underscores")
    parser.add_argument("file", metavar="FILE", help="the picture: PNG, GIF, WebP, AVIF or JPEG")
    parser.add_argument("--category", default="", help="where choosers file it")


def _emoji_name(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the emoji's name")


def _announce_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "words", metavar="TEXT", nargs="+", help="in Markdown; or `list`, or `remove` and the number that `list` shows"
    )
    parser.add_argument("--until", metavar="TIME", help="it is told until then, such as 2026-05-01T09:00 (local time)")


COMMANDS = (
    Command(
        words=("token",),
        usage='ACCOUNT --scopes "read"',
        help="make a token for a script that uses the API",
        about="Make a token for a script that uses the API as one of the accounts, and print it, and nothing else. It"
        " is not shown again; the page Settings, Apps takes it back.",
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
        help="add a custom emoji",
        about="Add a picture that stands in posts of this server where :NAME: is written, here and elsewhere. An"
        " earlier one of that name gives way.",
        examples=("fediblog emoji add blobcat blobcat.png --category Cats",),
        arguments=_emoji_arguments,
        run=on_site(add_emoji),
    ),
    Command(words=("emoji", "list"), usage="", help="show the custom emoji", run=on_site(list_emoji)),
    Command(
        words=("emoji", "remove"),
        usage="NAME",
        help="remove a custom emoji",
        examples=("fediblog emoji remove blobcat",),
        arguments=_emoji_name,
        run=on_site(remove_emoji),
    ),
    Command(
        words=("announce",),
        usage="TEXT | list | remove ID",
        help="tell all who use the server something",
        about="Tell all who use the server something: their apps show it until they have read it. `list` shows what is"
        " told, with numbers; `remove` and a number takes it back.",
        examples=(
            'fediblog announce "Back in ten minutes: a new disk." --until 2030-05-01T09:00',
            "fediblog announce list",
            "fediblog announce remove 1234",
        ),
        arguments=_announce_arguments,
        run=on_site(announce),
    ),
)
