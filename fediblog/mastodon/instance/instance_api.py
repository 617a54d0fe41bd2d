"""The server itself: what it is, what it allows, whom it knows, what its owner says; and an account's preferences."""

from __future__ import annotations

from urllib.parse import quote

from fediblog.errors import NotFound
from fediblog.federation.outbound import vapid
from fediblog.federation.site import Site
from fediblog.federation.site_totals import total
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity, instance_entity
from fediblog.mastodon.entities.base import moment
from fediblog.mastodon.entity_context import EntityContext
from fediblog.messages import text
from fediblog.store.people import accounts as stored
from fediblog.store.people import host_rules, server_state, server_statistics
from fediblog.store.people.host_rules import Severity
from fediblog.store.people.post_preferences import defaults as posting_defaults
from fediblog.store.posts import custom_emoji, free_pages
from fediblog.store.readers import announcements
from fediblog.store.tx import Tx

API = Table()
_PUBLIC = {"Cache-Control": "public, max-age=60"}


@API.get("/api/v1/instance", who="anybody", gives="V1Instance", tier=0)
async def version_one(call: Call) -> Reply:
    """The server, as apps of old ask for it."""
    return Reply(instance_entity.version_one(call.context, await facts(call.site, call.context)), headers=dict(_PUBLIC))


@API.get("/api/v2/instance", who="anybody", gives="Instance", tier=0)
async def version_two(call: Call) -> Reply:
    """The server: its version, its limits, and who looks after it."""
    return Reply(instance_entity.version_two(call.context, await facts(call.site, call.context)), headers=dict(_PUBLIC))


async def facts(site: Site, context: EntityContext) -> instance_entity.InstanceFacts:
    """What the site and its database know for the Instance entities."""
    contact = site.settings.contact.removeprefix("mailto:")
    pages = await site.db.read(free_pages.published)
    return instance_entity.InstanceFacts(
        usage=await total(site, server_state.usage),
        peers=await total(site, server_statistics.peer_count),
        email=contact if "@" in contact and "/" not in contact else "",
        owner=await site.db.read(_owner, context),
        vapid=await vapid.public_key(site),
        source=site.settings.source,
        language=site.settings.language,
        pages={each.role: f"{site.urls.origin}/{quote(each.slug)}" for each in reversed(pages)},
    )


def _owner(tx: Tx, context: EntityContext) -> Json | None:
    number = server_statistics.owner(tx)
    return account_entity.by_number(tx, context, [number]).get(number) if number is not None else None


@API.get("/api/v1/instance/peers", who="anybody", gives="Host[]", tier=1)
async def peers(call: Call) -> Reply:
    """Servers that this one knows."""
    return Reply(await total(call.site, server_statistics.peers), headers=dict(_PUBLIC))


@API.get("/api/v1/instance/activity", who="anybody", gives="Week[]", tier=3)
async def activity(call: Call) -> Reply:
    """What was written here in each of the last twelve weeks."""
    found = await total(call.site, server_statistics.weeks)
    return Reply([instance_entity.week(each) for each in found], headers=dict(_PUBLIC))


@API.get("/api/v1/instance/rules", who="anybody", gives="Rule[]", tier=1)
async def rules(_call: Call) -> list[Json]:
    """Rules of the house: there is no open registration, so none are kept."""
    return []


@API.get("/api/v1/instance/extended_description", who="anybody", gives="ExtendedDescription", tier=1)
async def extended_description(call: Call) -> Json:
    """What the server says of itself."""
    began = await call.read(_began, call.site)
    return {"updated_at": moment(began), "content": f"<p>{text(call.site.settings.language, 'api.about')}</p>"}


@API.get("/api/v1/instance/privacy_policy", who="anybody", gives="ExtendedDescription", tier=3)
async def privacy_policy(call: Call) -> Json:
    """What becomes of what is written here: the owner's page about it, if there is one."""
    page = await call.read(free_pages.by_role, "privacy")
    if page is not None:
        return {"updated_at": moment(page.updated), "content": page.content}
    began = await call.read(_began, call.site)
    return {"updated_at": moment(began), "content": f"<p>{text(call.site.settings.language, 'api.privacy')}</p>"}


def _began(tx: Tx, site: Site) -> int:
    account = stored.instance(tx, site.urls)
    return account.created if account else tx.now


@API.get("/api/v1/instance/terms_of_service", who="anybody", tier=3)
async def terms_of_service(call: Call) -> Json:
    """The owner's page of that role; 404 if there is none."""
    page = await call.read(free_pages.by_role, "terms")
    if page is None:
        raise NotFound()
    return {
        "effective_date": moment(page.updated)[:10],
        "effective": True,
        "content": page.content,
        "succeeded_by": None,
    }


@API.get("/api/v1/instance/translation_languages", who="anybody", tier=3)
async def translation_languages(_call: Call) -> Json:
    """Nothing is translated here, so an empty object."""
    return {}


@API.get("/api/v1/instance/domain_blocks", who="user", gives="DomainBlock[]", tier=3)
async def domain_blocks(call: Call) -> list[Json]:
    """Servers that are blocked or limited, for those who have an account here."""
    found = await call.read(host_rules.everything)
    return [instance_entity.blocked_host(each) for each in found if each.severity is not Severity.NONE]


@API.get("/api/v1/custom_emojis", who="anybody", gives="CustomEmoji[]", tier=0)
async def custom_emojis(call: Call) -> list[Json]:
    """Pictures that stand in posts where their names are written."""
    return [instance_entity.emoji(call.site.urls, each) for each in await call.read(custom_emoji.offered)]


@API.get("/api/v1/announcements", gives="Announcement[]", tier=1)
async def list_announcements(call: Call) -> list[Json]:
    """Announcements of the owner; those that were dismissed only with `with_dismissed`."""
    found = await call.read(announcements.current, call.account)
    everything = call.params.flag("with_dismissed")
    return [instance_entity.announcement(each) for each in found if everything or not each.read]


@API.post("/api/v1/announcements/{id}/dismiss", scope="write:accounts", tier=1)
async def dismiss_announcement(call: Call) -> None:
    """Dismiss an announcement: it has been read."""
    if not await call.write(announcements.dismiss, call.number(), call.account):
        raise NotFound()


@API.get("/api/v1/preferences", scope="read:accounts", gives="Preferences", tier=0)
async def preferences(call: Call) -> Json:
    """What new posts of the account are like, and how it likes to read."""
    return await call.read(_preferences, call.account)


def _preferences(tx: Tx, account: int) -> Json:
    wanted, owner = posting_defaults(tx, account), stored.get(tx, account)
    return {
        "posting:default:visibility": wanted.visibility,
        "posting:default:sensitive": wanted.sensitive,
        "posting:default:language": (owner.language or None) if owner else None,
        "posting:default:quote_policy": wanted.quotes,
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }
