"""Logins and accounts of ours: set-up, profiles, moving, leaving."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from msgspec import Struct

from fediblog.actions.drafts import ALT_LIMIT, author_of, check_language
from fediblog.actions.post_of_draft import people_of
from fediblog.actions.site_actions import emoji_in
from fediblog.domain.accounts import LOCAL_HANDLE, Account, Login
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid, Refused
from fediblog.markup.text import MARKDOWN, PLAIN, display_name, one_line
from fediblog.outgoing import sent_accounts
from fediblog.outgoing.follower_moves import follow_on
from fediblog.prepare.wording import Text, Wording
from fediblog.protocol import link_relations
from fediblog.protocol.actors import DOMAIN, DOMAINS_LIMIT
from fediblog.protocol.authority import compared_host
from fediblog.store import json_columns
from fediblog.store.people import accounts, logins, server_state, showcases
from fediblog.store.people.accounts import NewKey
from fediblog.store.posts import account_posts, media_files, post_writing, tombstones
from fediblog.store.queues import account_exports, job_kinds, job_queue, relation_imports
from fediblog.store.readers import autosaves, trash
from fediblog.store.tx import Tx

INSTANCE_HANDLE = "instance"
RESERVED = frozenset({INSTANCE_HANDLE, "admin", "administrator", "root", "system", "www"})
SETUP_TOKEN = "setup-token"  # noqa: S105 - the name of a fact, not a secret
NO_PICTURE = 0
_LOGINS = 1  # a number that no account has: one login is made at a time, since the first becomes the owner
BIO_LIMIT = 5_000
HEADLINE_LIMIT = 160
FIELDS_LIMIT = 16


class ProfileChanges(Struct, frozen=True, kw_only=True):
    """What an account shows of itself. Fields are (name, value of one line).

    `summary` is Markdown unless `summary_plain`, and so are the values of fields unless `fields_plain`; a value that
    is as it was before stays what it was.

    `headline` is plain text of one line; None keeps the one that is there.

    `icon` and `image` are numbers of uploads; None keeps the picture that is there, NO_PICTURE takes it away. So it is
    with what is said about them.
    """

    name: str = ""
    headline: str | None = None
    summary: str = ""
    summary_plain: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    fields_plain: bool = False
    icon: int | None = None
    image: int | None = None
    icon_alt: str | None = None
    image_alt: str | None = None
    locked: bool = False
    discoverable: bool = True
    indexable: bool = True
    attribution_domains: tuple[str, ...] | None = None  # None: as they were
    language: str = ""
    bot: bool = False


def _domains(typed: Iterable[str]) -> list[str]:
    """Names of sites as they are stored, each once. Raises Invalid that says what is expected."""
    found = dict.fromkeys(
        compared_host(each.strip().lower().removeprefix("https://").rstrip("/")) for each in typed if each.strip()
    )
    if len(found) > DOMAINS_LIMIT or not all(map(DOMAIN.match, found)):
        raise Invalid("attribution-domains", "account.domains-wrong", n=DOMAINS_LIMIT)
    return list(found)


def check_handle(handle: str) -> str:
    """The handle as it will be stored, or Invalid that says what is expected."""
    wanted = handle.strip().lstrip("@").lower()
    if not LOCAL_HANDLE.match(wanted):
        raise Invalid("handle", "account.handle-wrong")
    if wanted in RESERVED:
        raise Invalid("handle", "account.handle-kept", handle=wanted)
    return wanted


def ensure_instance(tx: Tx, urls: Urls, keys: Sequence[NewKey]) -> Account:
    """The actor that speaks for the server itself, made at the first start."""
    return accounts.instance(tx, urls) or accounts.create_local(
        tx, urls, INSTANCE_HANDLE, keys, login=None, name=urls.handle_domain, kind="Application"
    )


def set_up(
    tx: Tx,
    urls: Urls,
    *,
    token_hash: str,
    name: str,
    password_hash: str,
    handle: str,
    display: str,
    keys: Sequence[NewKey],
) -> tuple[Login, Account]:
    """Make the first login and account; the link's token works once, also if two use it at the same moment."""
    if server_state.get(tx, SETUP_TOKEN) != token_hash or not server_state.drop(tx, SETUP_TOKEN):
        raise Refused("setup-done", key="setup.used")
    login = add_login(tx, name, password_hash, "owner")
    return login, add_account(tx, urls, login.id, handle, display, keys)


def add_login(tx: Tx, name: str, password_hash: str, role: str = "member") -> Login:
    """A new login; the first of all becomes the owner."""
    wanted = name.strip().lower()
    tx.hold(_LOGINS)
    if not LOCAL_HANDLE.match(wanted):
        raise Invalid("name", "setup.name-wrong")
    return logins.create(tx, wanted, password_hash, role if logins.everyone(tx) else "owner")


def add_account(
    tx: Tx, urls: Urls, login: int, handle: str, display: str, keys: Sequence[NewKey], *, most: int | None = None
) -> Account:
    """A new account of that login, unless it has `most` already; without a number there is no limit."""
    wanted = check_handle(handle)
    tx.hold(login)
    if most is not None and sum(each.login == login for each in logins.accounts_of(tx, login)) >= most:
        raise Invalid("handle", "account.too-many", n=most)
    if accounts.local_by_handle(tx, wanted):
        raise Invalid("handle", "refusal.handle-taken", handle=wanted)
    return accounts.create_local(tx, urls, wanted, keys, login=login, name=display_name(display))


def update_profile(tx: Tx, urls: Urls, account: int, profile: ProfileChanges, wording: Wording) -> Account:
    """Change what the account shows, and tell its followers; nobody is told of what is as it was.

    The pages to which its fields lead are looked at anew.

    `wording` are the `profile_texts`, rendered. Raises Invalid, and Outdated if they have to be rendered again.
    """
    actor = author_of(tx, account)
    changes: dict[str, str | int | None] = {
        "name": display_name(profile.name),
        **_texts(tx, urls, actor, profile, wording),
        "locked": int(profile.locked),
        "discoverable": int(profile.discoverable),
        "indexable": int(profile.indexable),
        "language": profile.language,
        "kind": "Service" if profile.bot else ("Person" if actor.kind == "Service" else actor.kind),
    }
    changes |= _picture(tx, urls, account, "icon", profile.icon) | _picture(tx, urls, account, "image", profile.image)
    said = {"icon_alt": profile.icon_alt, "image_alt": profile.image_alt}
    changes |= {column: one_line(words, ALT_LIMIT) for column, words in said.items() if words is not None}
    if profile.attribution_domains is not None:
        changes["attribution_domains"] = json.dumps(_domains(profile.attribution_domains))
    if profile.headline is not None:
        changes["headline"] = one_line(profile.headline)
    if not account_posts.is_so(tx, account, changes):
        actor = accounts.update_profile(tx, account, **changes)
        send_profile(tx, urls, actor)
    if link_relations.field_links(actor.fields):
        job_queue.add(tx, job_kinds.VERIFY_LINKS, str(account))
    return actor


def texts_to_render(tx: Tx, account: int, profile: ProfileChanges) -> tuple[Text, ...]:
    """As `profile_texts`, for the account of that number. Raises Invalid, Forbidden."""
    actor = accounts.get(tx, account)
    if actor is None:
        raise Forbidden("post.may-not-write")
    return profile_texts(actor, profile)


def profile_texts(actor: Account, profile: ProfileChanges) -> tuple[Text, ...]:
    """What has to be rendered of a profile: the summary, and the values of the fields. Raises Invalid."""
    if len(profile.summary) > BIO_LIMIT:
        raise Invalid("summary", "error.too-long", n=BIO_LIMIT)
    if profile.headline is not None and len(one_line(profile.headline)) > HEADLINE_LIMIT:
        raise Invalid("headline", "error.too-long", n=HEADLINE_LIMIT)
    if profile.language != actor.language:
        check_language(profile.language)
    pairs = _pairs(profile)
    if len(pairs) > FIELDS_LIMIT:
        raise Invalid("fields", "account.too-many-fields", n=FIELDS_LIMIT)
    before = {value: actor.field_plain(index) for index, (_, value) in enumerate(actor.fields_source)}
    plain = [profile.summary_plain, *(before.get(value, profile.fields_plain) for _, value in pairs)]
    sources = [profile.summary, *(value for _, value in pairs)]
    return tuple(
        Text(source=source, kind=PLAIN if each else MARKDOWN, inline_images=False)
        for source, each in zip(sources, plain, strict=True)
    )


def _pairs(profile: ProfileChanges) -> list[tuple[str, str]]:
    return [(one_line(name, 200), one_line(value, 1000)) for name, value in profile.fields if name.strip()]


def _texts(tx: Tx, urls: Urls, actor: Account, profile: ProfileChanges, wording: Wording) -> dict[str, str | int]:
    """The columns of what the profile says, as it was typed and as it is shown, and the emoji in it."""
    texts, pairs = profile_texts(actor, profile), _pairs(profile)
    people_of(tx, urls, wording, texts)
    summary, *values = (each.numbered("") for each in wording.words)
    lines = [value.removeprefix("<p>").removesuffix("</p>\n") for value in values]
    names = [name for name, _ in pairs]
    return {
        "summary": summary,
        "summary_source": profile.summary,
        "fields": json.dumps(list(zip(names, lines, strict=True))),
        "fields_source": json.dumps(pairs),
        "plain": sum(1 << index for index, each in enumerate(texts) if each.kind == PLAIN),
        "emoji": json_columns.emoji_text(emoji_in(tx, urls, (profile.name, *names, *(each.source for each in texts)))),
    }


def _picture(tx: Tx, urls: Urls, account: int, column: str, upload: int | None) -> dict[str, str | int | None]:
    if upload is None:
        return {}
    if upload == NO_PICTURE:
        return {column: "", f"{column}_alt": ""}
    tx.hold(upload)
    found = media_files.get(tx, upload, account)
    if found is None:
        raise Invalid(column, "account.no-picture")
    name = (found.small or found.file) if column == "icon" else (found.large or found.file)
    return {column: urls.media(name)}


def write_in(tx: Tx, account: int, language: str) -> None:
    """Say in which language the account writes where nothing else is said. Raises Invalid."""
    if language != author_of(tx, account).language:
        check_language(language)
        accounts.update_profile(tx, account, language=language)


def send_profile(tx: Tx, urls: Urls, account: Account) -> None:
    """Tell the followers how the account looks now."""
    sent_accounts.update(tx, urls, account)


def add_alias(tx: Tx, urls: Urls, account: int, uri: str) -> Account:
    """Say that another account is the same person: needed before one can move from there to here."""
    actor = author_of(tx, account)
    known = tuple(dict.fromkeys((*actor.also_known_as, uri)))
    changed = accounts.update_profile(tx, account, also_known_as=json.dumps(known))
    send_profile(tx, urls, changed)
    return changed


def move(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Send the followers to another account, which must name this one among its aliases (as fetched just now)."""
    actor = author_of(tx, account, target)
    other = accounts.get(tx, target)
    if other is None or actor.uri not in other.also_known_as:
        raise Invalid("target", "move.no-alias", address=actor.uri)
    changed = accounts.update_profile(tx, account, moved_to=other.uri)
    send_profile(tx, urls, changed)
    sent_accounts.move(tx, urls, actor, other)
    follow_on(tx, urls, changed, other)


def delete_account(tx: Tx, urls: Urls, account: int) -> None:
    """Delete an account of ours and all it wrote; its id answers with a tombstone.

    Those who follow it and those whom it followed are told.
    """
    actor = author_of(tx, account, account)
    sent_accounts.delete(tx, urls, actor)
    post_writing.remove_all_of(tx, actor)
    showcases.put(tx, account, ())
    autosaves.drop_all(tx, account)
    trash.drop_all(tx, account)
    account_exports.drop(tx, account)
    relation_imports.drop(tx, account)
    accounts.set_state(tx, account, "deleted")
    tombstones.leave(tx, actor.uri, actor.uri, actor.kind, local=True)
