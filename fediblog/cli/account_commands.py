"""Commands for logins and accounts: who may sign in here, and as whom."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from fediblog import passwords
from fediblog.actions import account_actions
from fediblog.cli.command import Command
from fediblog.cli.command_site import on_site, own_account
from fediblog.cli.terminal import say, tell, translated
from fediblog.domain.accounts import Account, Login
from fediblog.errors import Misuse, NotFound, Refused
from fediblog.federation.keyring import new_keys
from fediblog.federation.site import Site
from fediblog.store.people import accounts, logins, second_factors, server_state
from fediblog.store.tx import Tx


async def add_user(site: Site, args: Namespace) -> None:
    """A new login."""
    hashed = await passwords.hashed(read_password(args.password_file))
    login = await site.db.write(_add_login, args.name, hashed, args.role)
    tell("cli.user-added", name=login.name, role=login.role)
    tell("cli.user-needs-account", name=login.name)


def _add_login(tx: Tx, name: str, hashed: str, role: str) -> Login:
    login = account_actions.add_login(tx, name, hashed, role)
    server_state.drop(tx, account_actions.SETUP_TOKEN)  # the set-up link makes the first login, and there is one now
    return login


async def change_password(site: Site, args: Namespace) -> None:
    """Another password."""
    login = await site.db.read(_login, args.name)
    hashed = await passwords.hashed(read_password(args.password_file))
    await site.db.write(logins.set_password, login.id, hashed)
    tell("cli.password-changed", name=login.name)


async def drop_second_factor(site: Site, args: Namespace) -> None:
    """Let the password of a login be enough again, for somebody who has lost the rest."""
    login = await site.db.read(_login, args.name)
    await site.db.write(second_factors.switch_off, login.id)
    tell("cli.second-factor-dropped", name=login.name)


async def list_users(site: Site, _args: Namespace) -> None:
    """Every login with its accounts."""
    found = await site.db.read(_everyone)
    for login, own in found:
        handles = " ".join(f"@{each.handle}" for each in own) or translated("cli.user-without-account")
        since = translated("cli.user-since", day=f"{datetime.fromtimestamp(login.created / 1000, UTC):%Y-%m-%d}")
        say(f"{login.name:20} {login.role:8} {since}  {handles}")
    if not found:
        tell("cli.no-users")


def _everyone(tx: Tx) -> list[tuple[Login, list[Account]]]:
    return [(login, logins.accounts_of(tx, login.id)) for login in logins.everyone(tx)]


async def add_account(site: Site, args: Namespace) -> None:
    """A new account of a login."""
    login = await site.db.read(_login, args.login)
    keys = await new_keys()
    account = await site.db.write(
        account_actions.add_account, site.urls, login.id, args.handle, args.name or args.handle.lstrip("@"), keys
    )
    tell("cli.account-added", handle=account.acct, name=login.name, address=site.urls.profile(account.handle))


async def delete_account(site: Site, args: Namespace) -> None:
    """An account and all it wrote, gone for good."""
    account = await site.db.read(own_account, args.handle)
    if not args.sure:
        raise Refused("not-sure", name=account.acct)
    await site.db.write(account_actions.delete_account, site.urls, account.id)
    tell("cli.account-deleted", handle=account.acct)


async def list_accounts(site: Site, _args: Namespace) -> None:
    """Every account of ours."""
    found = await site.db.read(_accounts)
    for account, login in found:
        state = "" if account.state == "active" else f"  ({account.state})"
        say(f"@{account.acct:30} {login:20} {account.name}{state}".rstrip())
    if not found:
        tell("cli.no-accounts")


def _accounts(tx: Tx) -> list[tuple[Account, str]]:
    names = {login.id: login.name for login in logins.everyone(tx)}
    return [(each, names.get(each.login or 0, "")) for each in accounts.ours(tx)]


def _login(tx: Tx, name: str) -> Login:
    found = logins.by_name(tx, name.strip())
    if found is None:
        raise NotFound("cli.no-login", name=name.strip())
    return found


def read_password(source: str | None) -> str:
    """A password from a file's first line, from standard input (-), or asked for twice at the terminal."""
    if source is None and not sys.stdin.isatty():
        raise Misuse("misuse.no-terminal")
    password = _ask() if source is None else _first_line(source)
    if len(password) < passwords.SHORTEST:
        raise Refused("password-short", n=passwords.SHORTEST)
    return password


def _ask() -> str:
    password = getpass.getpass(f"{translated('cli.password')} ")
    if password != getpass.getpass(f"{translated('cli.password-again')} "):
        raise Refused("passwords-differ")
    return password


def _first_line(source: str) -> str:
    if source == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return Path(source).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse("misuse.password-file", file=source, error=error) from None


def _name_and_password(parser: ArgumentParser) -> None:
    _name_argument(parser)
    parser.add_argument("--password-file", metavar="FILE", help=translated("argument.password-file"))


def _name_argument(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=translated("argument.login-name"))


def _add_user_arguments(parser: ArgumentParser) -> None:
    _name_and_password(parser)
    parser.add_argument(
        "--role",
        choices=("owner", "member"),
        default="member",
        help=translated("argument.role"),
    )


def _add_account_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("login", metavar="LOGIN", help=translated("argument.login"))
    parser.add_argument("handle", metavar="HANDLE", help=translated("argument.new-handle"))
    parser.add_argument("--name", metavar="TEXT", help=translated("argument.shown-name"))


def _delete_account_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("handle", metavar="HANDLE", help=translated("argument.deleted-handle"))
    parser.add_argument("--sure", action="store_true", help=translated("argument.sure"))


COMMANDS = (
    Command(
        words=("user", "add"),
        usage="NAME",
        examples=("fediblog user add alice", "echo 'correct horse battery' | fediblog user add bob --password-file -"),
        arguments=_add_user_arguments,
        run=on_site(add_user),
    ),
    Command(
        words=("user", "password"),
        usage="NAME",
        examples=("fediblog user password alice",),
        arguments=_name_and_password,
        run=on_site(change_password),
    ),
    Command(
        words=("user", "drop-second-factor"),
        usage="NAME",
        examples=("fediblog user drop-second-factor alice",),
        arguments=_name_argument,
        run=on_site(drop_second_factor),
    ),
    Command(words=("user", "list"), usage="", run=on_site(list_users)),
    Command(
        words=("account", "add"),
        usage="LOGIN HANDLE",
        examples=("fediblog account add alice alice --name 'Alice A.'", "fediblog account add alice gardening"),
        arguments=_add_account_arguments,
        run=on_site(add_account),
    ),
    Command(
        words=("account", "delete"),
        usage="HANDLE --sure",
        examples=("fediblog account delete gardening --sure",),
        arguments=_delete_account_arguments,
        run=on_site(delete_account),
    ),
    Command(words=("account", "list"), usage="", run=on_site(list_accounts)),
)
