"""One's own account: what only its owner may see of it, and how it is changed."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.actions import account_actions
from fediblog.actions.account_actions import NO_PICTURE, ProfileChanges
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.federation import prepared_actions, quotas, uploads
from fediblog.mastodon.accounts.accounts_api import find
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity, tag_entity
from fediblog.mastodon.entities.base import NAMED
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.media.pictures import Shape
from fediblog.prepare.wording import Text, Wording
from fediblog.store.people import post_preferences
from fediblog.store.posts import tags
from fediblog.store.tx import Tx

API = Table()
QUOTERS = ("public", "followers", "nobody")
_PICTURES: tuple[tuple[str, str, Shape], ...] = (("avatar", "icon", "avatar"), ("header", "image", "header"))
_NOTE = "note and the values of fields are plain text; hide_collections is not supported."


@API.get("/api/v1/accounts/verify_credentials", scope="profile", gives="CredentialAccount", tier=0)
async def verify_credentials(call: Call) -> Json:
    """The account that the token is for."""
    return await call.read(_credential, call.context, call.account)


def _credential(tx: Tx, context: EntityContext, account: int) -> Json:
    return account_entity.credential(tx, context, find(tx, account))


@API.patch("/api/v1/accounts/update_credentials", scope="write:accounts", gives="CredentialAccount", note=_NOTE)
async def update_credentials(call: Call) -> Json:
    """Change one's profile, and what one's new posts are like."""
    await _change(call)
    return await call.read(_credential, call.context, call.account)


@API.get("/api/v1/profile", scope="profile", gives="Profile", tier=3)
async def show(call: Call) -> Json:
    """One's profile as it was written."""
    return await call.read(_profile, call.context, call.account)


def _profile(tx: Tx, context: EntityContext, number: int) -> Json:
    account = find(tx, number)
    return account_entity.profile(context, account, tag_entity.featured(context, account, tags.featured(tx, number)))


@API.patch("/api/v1/profile", scope="write:accounts", gives="Profile", tier=3, note=_NOTE)
async def update(call: Call) -> Json:
    """Change one's profile."""
    await _change(call)
    return await call.read(_profile, call.context, call.account)


@API.delete("/api/v1/profile/avatar", scope="write:accounts", gives="CredentialAccount")
async def remove_avatar(call: Call) -> Json:
    """Take one's avatar away."""
    await _save(call, Params({}), {"icon": NO_PICTURE})
    return await call.read(_credential, call.context, call.account)


@API.delete("/api/v1/profile/header", scope="write:accounts", gives="CredentialAccount")
async def remove_header(call: Call) -> Json:
    """Take one's header away."""
    await _save(call, Params({}), {"image": NO_PICTURE})
    return await call.read(_credential, call.context, call.account)


async def _change(call: Call) -> None:
    quotas.use(call.site, call.account, "action")
    pictures: dict[str, int] = {}
    for name, column, shape in _PICTURES:
        sent = call.params.file(name)
        if sent is not None:
            upload = await uploads.upload(call.site, call.account, await sent.read(), shape=shape)
            pictures[column] = upload.id
    await _save(call, call.params, pictures)


async def _save(call: Call, params: Params, pictures: dict[str, int]) -> None:
    """Save the profile; a field that was not sent stays as it is."""
    number = call.account

    async def texts() -> tuple[Text, ...]:
        return await call.read(_texts, number, params, pictures)

    def act(tx: Tx, urls: Urls, wording: Wording) -> None:
        account_actions.update_profile(tx, urls, number, _changed(find(tx, number), params, pictures), wording)
        _prefer(tx, number, params.inner("source"))

    await prepared_actions.with_wording(call.site, texts, act)


def _texts(tx: Tx, number: int, params: Params, pictures: dict[str, int]) -> tuple[Text, ...]:
    account = find(tx, number)
    return account_actions.profile_texts(account, _changed(account, params, pictures))


def _prefer(tx: Tx, number: int, source: Params) -> None:
    """Keep what is preferred for new posts."""
    standing = post_preferences.defaults(tx, number)
    wanted = replace(
        standing,
        visibility=source.choice("privacy", NAMED, standing.visibility),
        sensitive=source.flag("sensitive", standing.sensitive),
        quotes=source.choice("quote_policy", QUOTERS, standing.quotes),
    )
    if wanted != standing:
        post_preferences.put(tx, number, wanted)


def _changed(account: Account, params: Params, pictures: dict[str, int]) -> ProfileChanges:
    source = params.inner("source")
    language = source.text("language") if source.has("language") else account.language
    fields = account.fields_source
    if params.has("fields_attributes"):
        fields = tuple((each.text("name"), each.text("value")) for each in params.each("fields_attributes"))
    note = params.text("note") if params.has("note") else account.summary_source
    return ProfileChanges(
        name=params.text("display_name", "" if params.has("display_name") else account.name),
        summary=note,
        summary_plain=account.summary_plain if note == account.summary_source else True,
        fields=fields,
        fields_plain=True,
        icon=pictures.get("icon"),
        image=pictures.get("image"),
        icon_alt=params.text("avatar_description") if params.has("avatar_description") else None,
        image_alt=params.text("header_description") if params.has("header_description") else None,
        locked=params.flag("locked", account.locked),
        discoverable=params.flag("discoverable", account.discoverable),
        indexable=params.flag("indexable", account.indexable),
        attribution_domains=tuple(params.texts("attribution_domains")) if params.has("attribution_domains") else None,
        language=language,
        bot=params.flag("bot", account.kind == "Service"),
    )
