"""Categories as visitors find them, each with its feeds, and where the owner puts them in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import category_actions
from fediblog.domain.category_tree import CategoryTree
from fediblog.domain.posts import Category, Post
from fediblog.errors import Invalid, NotFound
from fediblog.messages import text
from fediblog.store.id_paging import Window
from fediblog.store.posts import categories, posts, timelines
from fediblog.store.tx import Tx
from fediblog.web.components import page_head, paging
from fediblog.web.components.render import OWN_FORM, back, lead_on, render
from fediblog.web.feeds import Feed
from fediblog.web.forms import Form
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.pages.blog_pages import FEED_SIZE, SIZE, feed_response
from fediblog.web.sessions import CurrentUser, ask, ask_as, page

SETTINGS = "/settings/categories"


class Branch(Struct, frozen=True, kw_only=True):
    """A category with what lies above and right below it, and posts of the whole branch."""

    category: Category
    above: Sequence[Category]
    below: Sequence[Category]
    posts: Sequence[Post]


class Shelf(Struct, frozen=True, kw_only=True):
    """All categories, and how many posts everybody finds in each branch where there are any."""

    tree: CategoryTree
    totals: Mapping[int, int]


async def index(request: Request) -> Response:
    """All categories."""
    shelf = await ask(request, lambda tx, _viewer: _shelf(tx))
    head = page_head.of_site_page(page_head.context(request), say(request, "category.all"), "/categories")
    return render(request, "categories.html", head=head, shelf=shelf)


def _shelf(tx: Tx) -> Shelf:
    return Shelf(tree=categories.tree(tx), totals=categories.totals(tx))


async def category(request: Request) -> Response:
    """What is filed under a category and what lies below it."""
    slug = request.path_params["slug"]
    found = await ask(request, _branch, slug, paging.window(request, SIZE))
    if found.category.slug != slug:
        query = f"?{request.url.query}" if request.url.query else ""
        return lead_on(request, f"/category/{quote(found.category.slug)}{query}")
    shown = paging.page(request, found.posts, SIZE, lambda post: post.id)
    at, path = page_head.context(request), f"/category/{quote(slug)}"
    head = page_head.of_site_page(at, found.category.name, path, found.category.description, f"{path}/feed")
    head = page_head.turned(at, head, shown.number)
    return render(request, "category.html", head=head, branch=found, category=found.category, posts=shown)


def _branch(tx: Tx, viewer: int, slug: str, window: Window) -> Branch:
    """Raises NotFound also where nothing is to be found: a name that stands on drafts alone is nobody's business."""
    shelf, number = _shelf(tx), categories.by_slug(tx, slug)
    tree, found = shelf.tree, shelf.tree.get(number or 0)
    if found is None:
        raise NotFound
    listed = timelines.filed(tx, viewer, tree.below(found.id), window)
    if not listed and found.id not in shelf.totals:
        raise NotFound
    return Branch(
        category=found,
        above=tree.above(found.id),
        below=[each for each in tree.children(found.id) if each.id in shelf.totals],
        posts=posts.hydrate(tx, listed, viewer),
    )


async def category_feed(request: Request) -> Response:
    """The feed of a category."""
    site, params = site_of(request), request.path_params
    found = await site.db.read(_branch, 0, params["slug"], Window(limit=FEED_SIZE))
    address = f"/category/{quote(found.category.slug)}"
    if found.category.slug != params["slug"]:
        return lead_on(request, f"{address}/feed.{params['format']}")
    name, title = found.category.name, site.title
    whole = f"{site.urls.origin}{address}"
    feed = Feed(
        title=text(site.settings.language, "category.feed-title", name=name, site=title),
        description=found.category.description,
        page=whole,
        base=f"{whole}/feed",
    )
    return await feed_response(request, feed, list(found.posts))


async def overview(request: Request) -> Response:
    """Where the owner makes categories and finds them all."""
    return await _overview(request, Form.empty())


async def add(request: Request) -> Response:
    """Make a category."""
    form = await owners_form(request)
    try:
        await site_of(request).db.write(category_actions.add, _wanted(form, 0))
    except Invalid as error:
        form.refuse(error)
        return await _overview(request, form)
    return back(request, SETTINGS, "category-added")


async def _overview(request: Request, form: Form) -> Response:
    return _form_page(request, "category-settings.html", form, shelf=await ask_as(request, _owners_shelf))


def _owners_shelf(tx: Tx, user: CurrentUser) -> Shelf:
    check_owner(user)
    return _shelf(tx)


async def edit(request: Request) -> Response:
    """Where the owner changes a category, or takes it away."""
    return await _edit(request, Form.empty())


async def change(request: Request) -> Response:
    """Change a category."""
    form = await owners_form(request)
    try:
        await site_of(request).db.write(category_actions.change, _wanted(form, request.path_params["n"]))
    except Invalid as error:
        form.refuse(error)
        return await _edit(request, form)
    return back(request, SETTINGS, "category-saved")


async def _edit(request: Request, form: Form) -> Response:
    tree, found, filed = await ask_as(request, _owners_category, request.path_params["n"])
    inside = tree.below(found.id)
    parents = [(depth, each) for depth, each in tree.rows() if each.id not in inside]
    shown = _wanted(form, found.id) if form.data else found
    return _form_page(request, "category-edit.html", form, category=found, shown=shown, parents=parents, filed=filed)


def _owners_category(tx: Tx, user: CurrentUser, number: int) -> tuple[CategoryTree, Category, int]:
    check_owner(user)
    tree = categories.tree(tx)
    found = tree.get(number)
    if found is None:
        raise NotFound
    return tree, found, categories.filed(tx, number)


async def remove(request: Request) -> Response:
    """Take a category away."""
    form = await owners_form(request)
    if not form.flag("sure"):
        form.fault("sure", "error.sure")
        return await _edit(request, form)
    await site_of(request).db.write(category_actions.remove, request.path_params["n"])
    return back(request, SETTINGS, "category-removed")


def _wanted(form: Form, number: int) -> Category:
    """The category that the form describes."""
    return Category(
        id=number,
        name=form.line("name"),
        slug=form.line("slug"),
        parent=form.number("parent"),
        description=form.block("description", 10_000),
    )


def _form_page(request: Request, name: str, form: Form, **values: object) -> Response:
    headers = {"Cache-Control": OWN_FORM, **form.headers}
    typed = _wanted(form, 0)
    values |= {"errors": form.errors, "typed": typed}
    return render(request, name, form.status, headers=headers, **values)  # type: ignore[arg-type]


ROUTES = [
    Route("/categories", page(index)),
    Route("/category/{slug}", page(category)),
    Route("/category/{slug}/feed.{format:feed}", category_feed),
    Route(SETTINGS, page(overview), methods=["GET"]),
    Route(SETTINGS, page(add), methods=["POST"]),
    Route(f"{SETTINGS}/{{n:number}}", page(edit), methods=["GET"]),
    Route(f"{SETTINGS}/{{n:number}}", page(change), methods=["POST"]),
    Route(f"{SETTINGS}/{{n:number}}/delete", page(remove), methods=["POST"]),
]
