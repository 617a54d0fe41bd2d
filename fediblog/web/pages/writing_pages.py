"""The writing writing: a new post, an answer, an edit, a preview, and drafts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import post_actions
from fediblog.actions.draft_of_post import chosen_slug, draft_of
from fediblog.actions.drafts import Draft
from fediblog.domain.category_tree import CategoryTree
from fediblog.domain.documents import OPEN, Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound, TooOften
from fediblog.federation import prepared_actions
from fediblog.federation.site import Site
from fediblog.markup.text import MARKDOWN
from fediblog.prepare.elsewhere import Appearance
from fediblog.prepare.wording import Text
from fediblog.store.people import accounts, post_preferences
from fediblog.store.posts import account_posts, categories, posts
from fediblog.store.readers import autosaves
from fediblog.store.readers.autosaves import Autosave
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.emoji_images import loaded_here
from fediblog.web.components.page_links import Links
from fediblog.web.components.render import OWN_FORM, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages import autosave_pages, library_pages, post_form
from fediblog.web.pages.autosave_pages import (
    MARK,
    ChangedElsewhere,
    OpenedPage,
    OtherVersion,
    changed,
    open_page,
    page_of,
    restored,
    unless_changed_elsewhere,
    version,
)
from fediblog.web.pages.post_form import ALLOWED, FOCI, MOST_BYTES, PERIODS, SLOTS, VISIBILITIES, PostFields
from fediblog.web.sessions import CurrentUser, ask_as, current_user, page

_FIELDS = (
    *("post", "title", "summary", "source", "quote", "new-category", "tags", "hero-upload", "hero-caption", "upload"),
    *("files", "warning", "language", "slug", "poll", "people", "visibility", "scheduled", "dated"),
)  # in the order in which they are read
# The element to which a problem leads, where that has another id.
_PLACES = {"upload": "upload-0", "files": "upload-0", "poll": "answer-1", "people": "visibility"}


class WriteContext(Struct, frozen=True):
    """What lies on the writing: the fields, the post that is edited, the one that is answered, the one that is quoted.

    It is `gone` if one of these is not there any more: then the fields makes a post without it.
    """

    fields: PostFields
    post: Post | None = None
    parent: Post | None = None
    quoted: Post | None = None
    categories: CategoryTree = CategoryTree(())
    gone: bool = False
    opened: OpenedPage = OpenedPage(mark="")
    offered: Autosave | None = None  # what was kept of it on a page that is not open any more
    other: OtherVersion | None = None  # what was kept elsewhere meanwhile
    both_at: int = 0  # when that was shown beside it, in ms

    @property
    def seen_both(self) -> int:
        """When the post had been changed last as both texts were shown, in ms."""
        return changed(self.post)

    @property
    def filed(self) -> str:
        """Under what it is filed, in a few words."""
        found = (self.categories.get(each) for each in self.fields.categories)
        names = [each.name for each in found if each is not None]
        return ", ".join([*names, *filter(None, [self.fields.new_category]), *self.fields.single_tags])


async def new(request: Request) -> Response:
    """An empty fields, an answer to a post, one that quotes, or a letter to an account."""
    reply, quote, to = (forms.whole(request.query_params.get(name, "")) for name in ("reply", "quote", "to"))
    return _show(request, await _gone_on(request, await ask_as(request, _new, _zone(request), reply, quote, to)))


async def _gone_on(request: Request, writing: WriteContext, number: int | None = None) -> WriteContext:
    """The same with what was kept of another page, if that is asked for."""
    user, mark = current_user(request), request.query_params.get("kept", "")
    found = await restored(request, user, mark) if user is not None and mark else None
    if user is None or found is None:
        return writing
    return replace(await site_of(request).db.read(_desk, user, found[0], number), opened=found[1])


def _new(
    tx: Tx, user: CurrentUser, zone: str, reply: int | None = None, quote: int | None = None, to: int | None = None
) -> WriteContext:
    parent, quoted = _published(tx, user, reply), _published(tx, user, quote)
    wanted = post_preferences.defaults(tx, user.account.id)
    fields = post_form.blank(user.account, wanted, parent, quoted, zone)
    if to is not None and parent is None:
        other = accounts.get(tx, to)
        if other is None or other.state != "active":
            raise NotFound("error.account-unknown")
        fields = replace(fields, source=f"@{other.acct} ", visibility=Visibility.DIRECT)
    about = f"reply {reply}" if parent is not None else f"quote {quote}" if quoted is not None else "new"
    return WriteContext(
        fields,
        parent=parent,
        quoted=quoted,
        categories=categories.tree(tx),
        opened=open_page(tx, about),
        offered=autosaves.newest(tx, user.account.id, about),
    )


def _published(tx: Tx, user: CurrentUser, number: int | None) -> Post | None:
    """The post that the new one is about. Raises NotFound if it is not there for its writer."""
    post = posts.get(tx, number, user.account.id) if number is not None else None
    if number is not None and (post is None or post.state != "published"):
        raise NotFound
    return post


async def share(request: Request) -> Response:
    """A new post that begins with what another page or program hands over; nothing is published by that."""
    asked = request.query_params
    source = "\n\n".join(filter(None, (asked.get(name, "").strip() for name in ("title", "text", "url"))))
    writing = await ask_as(request, _new, _zone(request))
    if not source:
        return back(request, "/write")
    return _show(request, replace(writing, fields=replace(writing.fields, source=source)))


async def change(request: Request) -> Response:
    """A post of one's own on the writing again."""
    number = request.path_params["n"]
    return _show(request, await _gone_on(request, await ask_as(request, _change, number, _zone(request)), number))


def _zone(request: Request) -> str:
    """The time zone in which times are typed where no script tells that of the browser: the blog's."""
    return site_of(request).blog.time_zone


def _change(tx: Tx, user: CurrentUser, number: int, zone: str) -> WriteContext:
    post = _own(tx, user, number)
    parent = posts.get(tx, post.parent, user.account.id) if post.parent is not None else None
    fields = post_form.of_draft(tx, draft_of(tx, post), user.account.id, zone)
    if post.is_draft:  # whose address follows its title
        fields = replace(fields, slug=chosen_slug(post))
    opened = open_page(tx, f"edit {number}", post)
    return WriteContext(
        fields,
        post=post,
        parent=parent,
        quoted=post.quoted,
        categories=categories.tree(tx),
        opened=opened,
        offered=autosaves.newest(tx, user.account.id, opened.about, since=opened.seen),
    )


async def save(request: Request) -> Response:
    """What the buttons below the fields do: preview, keep as a draft, keep for later, publish."""
    site, form = site_of(request), await forms.read(request)
    number: int | None = request.path_params.get("n")
    fields = await post_form.from_form(site, form)
    writing = replace(await site.db.read(_desk, form.sender, fields, number), opened=page_of(form))
    if form.flag("discard") or form.flag("theirs"):
        return await _chosen(request, writing, form)
    wanted = form.choice("mine" if form.flag("mine") else "do", ("publish", "preview", "draft", "schedule"))
    if wanted == "publish" and fields.later:
        wanted = "schedule"
    if writing.gone:
        form.fault("post", "write.gone")
    if wanted == "preview":
        return await _preview(request, writing, form)
    if writing.post is not None and writing.post.state == "published" and wanted in ("draft", "schedule"):
        form.fault("post", "post.published-meanwhile")
        return _show(request, writing, form)
    draft = post_form.draft(fields, form, wanted)
    if form.errors:
        return _show(request, writing, form)
    return await _store(request, writing, form, draft)


async def _store(request: Request, writing: WriteContext, form: Form, draft: Draft) -> Response:
    """Make the post, or change it, and lead on to it."""
    site, number, account = site_of(request), request.path_params.get("n"), form.sender.account.id
    asked, draft = draft, await _held(site, account, draft, writing.post)
    try:
        if number is None:
            action = unless_changed_elsewhere(writing.opened, post_actions.publish)
            post = await prepared_actions.publish(site, account, draft, action)
        else:
            change = unless_changed_elsewhere(writing.opened, post_actions.edit)
            post = await prepared_actions.edit(site, account, number, draft, change)
    except ChangedElsewhere as error:
        other = await version(site, form, number, error.mark)
        if other is None:  # it is not there any more
            return await _store(request, writing, form, asked)
        return _show(request, replace(writing, other=other, both_at=site.clock()), form)
    except Invalid as error:
        form.refuse(error)
        return _show(request, writing, form)
    except NotFound as error:
        form.errors["post"] = error.sentence(form.language) if error.key in _WITHOUT else say(request, "write.gone")
        return _show(request, _without(writing, error.key), form)
    except TooOften as error:
        form.defer("source", error)
        return _show(request, writing, form)
    if asked.state != "published":
        return back(request, "/drafts", f"saved-{post.state}")
    return _saved(request, form, post, is_new=writing.post is None)


async def _held(site: Site, account: int, draft: Draft, before: Post | None) -> Draft:
    """The draft; what is to be published for the first time is a post for later if its account can take it back.

    So nobody else learns anything of it before.
    """
    seconds = site.settings.take_back_seconds
    if (
        draft.state != "published"
        or draft.dated is not None
        or not seconds
        or (before is not None and not before.is_draft)
    ):
        return draft
    if not (await site.db.read(post_preferences.defaults, account)).wait:
        return draft
    return replace(draft, state="scheduled", scheduled=site.clock() + seconds * 1000)


def _saved(request: Request, form: Form, post: Post, *, is_new: bool) -> Response:
    """On to the post, or back to where its writer came from."""
    own = form.sender.session.account == form.sender.account.id  # else another tab has switched since
    came_from = _came_from(form.line("next", 2000))
    if post.is_draft:
        if own and not came_from:
            return back(request, f"/post/{post.id}")
        return back(request, came_from or "/stream", f"posted-{post.visibility}", post.id)
    shown = own or post.visibility in OPEN
    to = came_from or (Links(site_of(request).urls, True).post(post) if shown else "/stream")
    return back(request, to, f"posted-{post.visibility}" if is_new else "edited")


def _came_from(place: str) -> str:
    """The place on a page from which one came to write, if it is one: what is written leads back there."""
    path = forms.own_path(place, "")
    return "" if path.startswith("/write") else path


async def _chosen(request: Request, writing: WriteContext, form: Form) -> Response:
    """Throw away what was kept of another page, or take the other version, beside which then stands one's own."""
    site, number = site_of(request), request.path_params.get("n")
    if mark := form.line("discard", MARK):
        await site.db.write(autosaves.drop, form.sender.account.id, mark)
        return _show(request, writing, form)
    theirs = form.text("theirs").removeprefix("post")[:MARK]
    other = await version(site, form, number, theirs)
    if other is None:
        return _show(request, writing, form)
    taken = await site.db.read(_desk, form.sender, other.fields, number)
    mine = OtherVersion(fields=writing.fields, at=site.clock(), mark=writing.opened.mark)
    return _show(request, replace(taken, opened=writing.opened, other=mine), form)


def _desk(tx: Tx, user: CurrentUser, fields: PostFields, number: int | None) -> WriteContext:
    post = posts.get(tx, number, user.account.id) if number is not None else None
    post = post if post is not None and post.account.id == user.account.id else None
    if post is not None and post.state == "published":
        fields = replace(fields, visibility=post.visibility)
    parent = posts.get(tx, fields.reply, user.account.id) if fields.reply is not None else None
    quoted = posts.get(tx, fields.quote, user.account.id) if fields.quote is not None else None
    return WriteContext(
        fields,
        post=post,
        parent=parent,
        quoted=quoted,
        categories=categories.tree(tx),
        gone=number is not None and post is None,
    )


_WITHOUT = ("reply.no-post", "quote.no-post")


def _without(writing: WriteContext, key: str) -> WriteContext:
    """The same without what was not there any more: by the key of the message what it answers or quotes, or itself."""
    if key == "reply.no-post":
        return replace(writing, fields=replace(writing.fields, reply=None), parent=None, gone=True)
    if key == "quote.no-post":
        return replace(writing, fields=replace(writing.fields, quote=None), quoted=None, gone=True)
    return replace(writing, post=None, gone=True)


async def _preview(request: Request, writing: WriteContext, form: Form) -> Response:
    site = site_of(request)
    source = writing.post.source if writing.post is not None else None
    # As it will be: what was typed as plain text in an app stays plain text.
    kind = source.media_type if source else MARKDOWN
    text = Text(source=writing.fields.source, kind=kind, breaks=not writing.fields.title)
    wording = await prepared_actions.word(site, (text,), find=False)
    html = loaded_here(wording.words[0].numbered("preview"), lambda url: url if site.urls.owns(url) else "")
    shown = await asyncio.to_thread(post_form.appearances, site.urls, form.sender.account, writing.fields, wording)
    return _show(request, writing, form, Markup(html), shown)  # noqa: S704  the renderer cleans what it makes


def _place(field: str) -> int:
    return _FIELDS.index(field) if field in _FIELDS else len(_FIELDS)


def _show(
    request: Request,
    writing: WriteContext,
    form: Form | None = None,
    preview: Markup | None = None,
    shown: Sequence[Appearance] = (),
) -> Response:
    sent = form or Form.empty()
    faults = {name: sent.errors[name] for name in sorted(sent.errors, key=_place)}
    return render(
        request,
        "write.html",
        404 if writing.gone else 409 if writing.other is not None and not sent.flag("theirs") else sent.status,
        to_read=True,
        headers={"Cache-Control": OWN_FORM, **sent.headers},
        came_from=_came_from(sent.line("next", 2000) or request.query_params.get("next", "")),
        writing=writing,
        fields=writing.fields,
        foci=FOCI,
        errors=faults,
        places=_PLACES,
        wanted=sent.text("do") or "publish",
        taken=sent.flag("theirs"),
        preview=preview,
        elsewhere=shown,
        visibilities=VISIBILITIES,
        allowed=ALLOWED,
        slots=SLOTS,
        periods=PERIODS,
        most_bytes=MOST_BYTES,
    )


async def drafts(request: Request) -> Response:
    """The page of drafts and of posts for later, and of what was typed and not saved."""
    found, unfinished = await ask_as(
        request, lambda tx, user: (account_posts.drafts(tx, user.account.id), autosaves.listed(tx, user.account.id))
    )
    return render(request, "drafts.html", posts=found, unfinished=unfinished)


def _own(tx: Tx, user: CurrentUser, number: int) -> Post:
    post = posts.get(tx, number, user.account.id)
    if post is None or post.account.id != user.account.id:
        raise NotFound
    return post


ROUTES = [
    *autosave_pages.ROUTES,
    *library_pages.ROUTES,
    Route("/share", page(share)),
    Route("/write", page(new), methods=["GET"]),
    Route("/write", page(save), methods=["POST"]),
    Route("/write/{n:number}", page(change), methods=["GET"]),
    Route("/write/{n:number}", page(save), methods=["POST"]),
    Route("/drafts", page(drafts)),
]
