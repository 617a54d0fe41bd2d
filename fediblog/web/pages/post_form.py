"""The writing desk's form: what was typed, kept through previews and mistakes, and the draft that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Literal, cast

from msgspec import Struct
from starlette.datastructures import UploadFile

from fediblog import hashtags
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Mention, Note, Picture, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import addresses, narrowest
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, TooOften
from fediblog.federation import uploads
from fediblog.federation.site import Site
from fediblog.markup.html import escape
from fediblog.markup.text import display_name, one_line
from fediblog.media.formats import focal_point
from fediblog.media.pictures import Shape
from fediblog.prepare import elsewhere
from fediblog.prepare.elsewhere import Appearance
from fediblog.prepare.wording import Wording
from fediblog.protocol.notes import write_note
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.posts import media_files
from fediblog.store.posts.media_files import Upload
from fediblog.store.tx import Tx
from fediblog.web.components import time_zone
from fediblog.web.forms import MISSING, MOST_FILES, Form

SLOTS = 4  # choosers of pictures at a time; more can be added after a preview
MOST_BYTES = 16_000_000
ANSWERS = 4  # fields for a poll's answers; two more than are filled after a preview
PERIODS = (1_800, 3_600, 21_600, 86_400, 259_200, 604_800, 2_592_000)  # seconds that a poll may be open
ALLOWED = ("public", "followers", "nobody")
VISIBILITIES = tuple(each.value for each in Visibility)
# Where a picture's centre of interest may be said to be: it stays visible where others crop the picture.
FOCI = ("", "0,1", "0,-1", "-1,0", "1,0", "-1,1", "1,1", "-1,-1", "1,-1")


class AttachedPicture(Struct, frozen=True):
    """A picture that lies here already, with its description and its focal point."""

    upload: Upload
    alt: str
    focus: tuple[float, float] | None = None
    caption: str = ""  # of the hero alone

    @property
    def place(self) -> str:
        """The focal point as the form says it: x,y or nothing for the middle."""
        return f"{self.focus[0]:g},{self.focus[1]:g}" if self.focus else ""


def point_of(place: str) -> tuple[float, float] | None:
    """The focal point that the form says; None for the middle, and for what is no point."""
    try:
        x, y = map(float, place.split(","))
    except ValueError:
        return None
    return focal_point(x, y)


class PostFields(Struct, frozen=True, kw_only=True):
    """All fields of the form to write a post, as they were typed."""

    source: str = ""
    title: str = ""
    warning: str = ""
    summary: str = ""
    visibility: str = "public"
    language: str = ""
    sensitive: bool = False
    scheduled: str = ""  # as a datetime-local field writes it
    zone: str = ""  # in which that is: a name of the IANA database; UTC if empty
    later: bool = False  # whether it shall be published then, not now
    past: bool = False  # whether it shall have that date of the past
    dated: str = ""  # likewise
    reply: int | None = None
    quote: int | None = None
    comments: str = ""  # who may answer it, one of ALLOWED; nothing: as it was
    quotable: str = ""  # who may quote it, one of ALLOWED; nothing: as it was
    pictures: tuple[AttachedPicture, ...] = ()
    awaited: tuple[tuple[str, str], ...] = ()  # description and place of pictures that did not come, or were refused
    missing: tuple[str, ...] = ()  # names of files that were chosen and have to be chosen again
    hero: AttachedPicture | None = None
    hero_alt: str = ""  # description of a hero that did not come, or was refused
    hero_caption: str = ""  # its caption, likewise
    answers: tuple[str, ...] = ()  # of a poll
    multiple: bool = False
    period: int = 86_400  # seconds
    slug: str = ""  # of an article's address
    tags: str | None = None  # hashtags beside those in the text; None: as they were
    categories: tuple[int, ...] = ()
    new_category: str = ""
    anyway: bool = False  # though somebody whom it names cannot be found, or it names nobody

    @property
    def at(self) -> int | None:
        """When it shall be published, in ms."""
        return moment(self.scheduled, self.zone)

    @property
    def single_tags(self) -> list[str]:
        """The hashtags beside those in the text, each as it was typed."""
        return [each for each in re.split(r"[\s,]+", self.tags or "") if each]

    @property
    def rows(self) -> tuple[str, ...]:
        """The fields for answers: those that are filled, and some to go on."""
        return self.answers + ("",) * max(ANSWERS - len(self.answers), 2)


def blank(
    account: Account, wanted: Defaults, parent: Post | None, quoted: Post | None = None, zone: str = ""
) -> PostFields:
    """An empty fields, as the account prefers its posts.

    An answer names those who take part and is for no more people than what it answers.
    """
    chosen = Visibility(wanted.visibility)
    if parent is None:
        narrow = quoted is not None and quoted.visibility == Visibility.FOLLOWERS
        return PostFields(
            language=account.language,
            zone=zone,
            quote=quoted.id if quoted else None,
            visibility=narrowest(chosen, Visibility.FOLLOWERS) if narrow else chosen,
            comments=wanted.comments,
            quotable=wanted.quotes,
            sensitive=wanted.sensitive,
        )
    own = {f"@{account.acct}", account.acct}
    names = [f"@{parent.account.acct}", *(each.name for each in parent.mentions if each.name.count("@") == 2)]
    among = dict.fromkeys(name for name in names if name not in own)
    return PostFields(
        source="".join(f"{name} " for name in among),
        warning=parent.warning or ("" if parent.is_article else parent.summary),
        visibility=narrowest(
            chosen, Visibility.UNLISTED if parent.visibility == Visibility.PUBLIC else parent.visibility
        ),
        language=account.language,
        zone=zone,
        quotable=wanted.quotes,
        sensitive=wanted.sensitive,
        reply=parent.id,
    )


def of_draft(tx: Tx, draft: Draft, account: int, zone: str = "") -> PostFields:
    """The fields that makes that draft of the account, its time as it is in that zone."""
    files = (*draft.files, *([draft.hero] if draft.hero else ()))
    stored = media_files.many(tx, [each.upload for each in files], account)
    return PostFields(
        source=draft.source,
        title=draft.title,
        warning=draft.warning,
        summary=draft.summary,
        visibility=draft.visibility,
        language=draft.language,
        sensitive=draft.sensitive,
        scheduled=_typed(draft.scheduled, zone),
        later=bool(draft.scheduled),
        dated=_typed(draft.dated, zone),
        past=bool(draft.dated),
        zone=zone,
        tags=" ".join(draft.tags or ()),
        reply=draft.reply_to,
        quote=draft.quote,
        comments=draft.comments,
        quotable=draft.quotable,
        slug=draft.slug,
        categories=draft.categories or (),
        pictures=tuple(AttachedPicture(stored[each.upload], each.alt, each.focus) for each in draft.files),
        hero=AttachedPicture(stored[draft.hero.upload], draft.hero.alt, caption=draft.hero.caption)
        if draft.hero
        else None,
        answers=draft.poll.options if draft.poll else (),
        multiple=draft.poll is not None and draft.poll.multiple,
        period=_period(draft.poll) if draft.poll else 86_400,
    )


def _typed(at: int | None, zone: str) -> str:
    """A time in ms as a datetime-local field writes it; nothing for none."""
    return datetime.fromtimestamp(at / 1000, time_zone.find(zone) or UTC).strftime("%Y-%m-%dT%H:%M") if at else ""


def _period(poll: PollDraft) -> int:
    """The one of the periods offered that is nearest to how long the poll shall be open."""
    return min(PERIODS, key=lambda each: abs(each - poll.seconds))


async def _pictures(site: Site, form: Form) -> tuple[list[AttachedPicture], list[tuple[str, str]]]:
    """The pictures of the form, and description and place of those that did not come, or were refused."""
    account, numbers = form.sender.account.id, form.numbers("file")
    stored = await site.db.read(_uploads, account, numbers)
    kept = [
        AttachedPicture(stored[n], form.line(f"alt-{n}", 1500), point_of(form.line(f"focus-{n}", 50)))
        for n in numbers
        if n in stored and not form.flag(f"drop-{n}")
    ]
    choosers, awaited = form.data.getlist("upload"), list[tuple[str, str]]()
    for chosen, told, place in zip_longest(choosers, form.lines("new-alt"), form.lines("new-focus"), fillvalue=""):
        if isinstance(chosen, UploadFile) and (upload := await stored_upload(site, form, "upload", chosen)):
            kept.append(AttachedPicture(upload, str(told), point_of(str(place))))
        elif told:
            awaited.append((str(told), str(place)))
    return kept, awaited


async def _hero(site: Site, form: Form) -> AttachedPicture | None:
    """The picture at the top: one that was chosen just now, or the one of before."""
    alt, caption = form.line("hero-alt", 1500), form.line("hero-caption", 2000)
    for chosen in form.files("hero-upload")[:1]:
        if upload := await stored_upload(site, form, "hero-upload", chosen):
            return AttachedPicture(upload, alt, caption=caption)
    number = form.number("hero")
    if number is None or form.flag("hero-drop"):
        return None
    stored = await site.db.read(_uploads, form.sender.account.id, [number])
    return AttachedPicture(stored[number], alt, caption=caption) if number in stored else None


async def from_form(site: Site, form: Form) -> PostFields:
    """The fields as it was sent. New pictures are stored at once, so that a mistake elsewhere does not lose them."""
    kept, awaited = await _pictures(site, form)
    return PostFields(
        source=form.block("source"),
        title=form.line("title", 1000),
        warning=form.line("warning", 2000),
        summary=form.block("summary", 5000),
        visibility=form.choice("visibility", VISIBILITIES),
        language=form.line("language", 35),
        sensitive=form.flag("sensitive"),
        scheduled=form.line("scheduled", 40),
        later=form.text("when") == "later",
        past=form.text("when") == "past",
        dated=form.line("dated", 40),
        zone=form.line("zone", 64),
        tags=form.line("tags", 2000) if "tags" in form.data else None,
        reply=form.number("reply"),
        quote=form.number("quote"),
        comments=form.choice("comments", ("", *ALLOWED)),
        quotable=form.choice("quotable", ("", *ALLOWED)),
        pictures=tuple(kept),
        awaited=tuple(awaited[:SLOTS]),
        missing=tuple(form.lines(MISSING)[:MOST_FILES]),
        hero=await _hero(site, form),
        hero_alt=form.line("hero-alt", 1500),
        hero_caption=form.line("hero-caption", 2000),
        answers=tuple(one_line(answer) for answer in form.lines("answer") if answer.strip()),
        multiple=form.flag("multiple"),
        slug=form.line("slug", 200),
        categories=tuple(form.numbers("category")),
        new_category=display_name(form.line("new-category", 100)) if form.sender.is_owner else "",
        anyway=form.flag("anyway"),
        period=int(form.choice("period", tuple(map(str, PERIODS)), "86400")),
    )


async def stored_upload(site: Site, form: Form, field: str, chosen: UploadFile, shape: Shape = "post") -> Upload | None:
    """A chosen picture, decoded and stored; what is wrong with it is noted at the field."""
    if not chosen.filename:
        return None
    if chosen.size is not None and chosen.size > MOST_BYTES:
        form.fault(field, "error.file-too-large", name=chosen.filename[:80], n=MOST_BYTES // 1_000_000)
        return None
    try:
        return await uploads.upload(site, form.sender.account.id, await chosen.read(), shape=shape)
    except TooOften as error:
        form.defer(field, error)
        return None
    except Refused as error:
        form.fault(field, "error.file", name=chosen.filename[:80], message=error.sentence(form.language))
        return None


def draft(fields: PostFields, form: Form, wanted: str) -> Draft:
    """The draft that the fields makes; `wanted` is the button that was pressed."""
    state: Mapping[str, str] = {"draft": "draft", "schedule": "scheduled"}
    scheduled = moment(fields.scheduled, fields.zone)
    if wanted == "schedule" and scheduled is None:
        form.fault("scheduled", "error.schedule")
    elif wanted == "schedule" and fields.zone and time_zone.find(fields.zone) is None:
        form.fault("scheduled", "error.time-zone", zone=fields.zone)
    dated = moment(fields.dated, fields.zone) if wanted in ("publish", "draft") and fields.past else None
    if wanted == "publish" and fields.past and dated is None:
        form.fault("dated", "error.schedule")
    tags = None if fields.tags is None else fields.single_tags
    if wrong := [each for each in tags or () if hashtags.first_in(each) != each.lstrip(hashtags.SIGNS)]:
        form.fault("tags", "error.hashtags", names=", ".join(wrong))
    return Draft(
        source=fields.source,
        title=fields.title,
        summary=fields.summary,
        warning=fields.warning,
        visibility=Visibility(fields.visibility),
        language=fields.language,
        sensitive=fields.sensitive,
        reply_to=fields.reply,
        quote=fields.quote,
        must_reach=not fields.anyway,
        comments=fields.comments,
        quotable=fields.quotable,
        slug=fields.slug,
        tags=None if tags is None else tuple(each.lstrip(hashtags.SIGNS) for each in tags[: hashtags.MOST]),
        categories=fields.categories,
        new_category=fields.new_category,
        files=tuple(File(upload=each.upload.id, alt=each.alt, focus=each.focus) for each in fields.pictures),
        hero=File(upload=fields.hero.upload.id, alt=fields.hero.alt, caption=fields.hero.caption)
        if fields.hero
        else None,
        state=cast(Literal["published", "draft", "scheduled"], state.get(wanted, "published")),
        scheduled=scheduled if wanted == "schedule" else None,
        dated=dated,
        poll=PollDraft(options=fields.answers, multiple=fields.multiple, seconds=fields.period)
        if fields.answers
        else None,
    )


def appearances(urls: Urls, account: Account, fields: PostFields, wording: Wording) -> list[Appearance]:
    """How the post that the fields would make is shown elsewhere."""
    note = outline(urls, account, fields, wording)
    return elsewhere.of(write_note(note), note)


def outline(urls: Urls, account: Account, fields: PostFields, wording: Wording) -> Note:
    """The post that the fields would make, as far as others read it: nothing is stored, and it has no number yet."""
    title, visibility = fields.title.strip(), Visibility(fields.visibility)
    people = wording.people.items()
    to, cc = addresses(visibility, account.followers, tuple(each.uri for _, each in people))
    hero = fields.hero
    return Note(
        uri=f"{urls.origin}/",
        kind="Article" if title else "Question" if fields.answers else "Note",
        author=account.uri,
        to=to,
        cc=cc,
        title=title,
        summary=(escape(fields.summary) if title else fields.warning).strip(),
        warning=fields.warning if title else "",
        content=wording.words[0].numbered("preview"),
        language=fields.language,
        url=f"{urls.origin}/@{account.handle}",
        sensitive=fields.sensitive or bool(fields.warning),
        mentions=tuple(Mention(href=each.uri, name=f"@{name}") for name, each in people),
        hashtags=tuple(wording.words[0].hashtags),
        attachments=tuple(
            Attachment(kind="Image", url=urls.media(each.upload.file), media_type=each.upload.media_type, alt=each.alt)
            for each in fields.pictures
        ),
        image=Picture(url=urls.media(hero.upload.file), alt=hero.alt) if hero else None,
    )


def moment(value: str, zone: str = "") -> int | None:
    """A datetime-local value, read in that zone, in milliseconds; in UTC where the zone is not known."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int(at.replace(tzinfo=time_zone.find(zone) or UTC).timestamp() * 1000) if 1 < at.year < 9999 else None


def _uploads(tx: Tx, account: int, numbers: Sequence[int]) -> dict[int, Upload]:
    found = (media_files.get(tx, number, account) for number in numbers)
    return {upload.id: upload for upload in found if upload is not None}
