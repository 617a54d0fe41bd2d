"""A blog of three writers with something of everything, for browsers to look at and for the pictures of the guides."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from fediblog import passwords
from fediblog.actions import (
    account_actions,
    category_actions,
    import_actions,
    invitation_actions,
    moderation_actions,
    oauth_grants,
    post_actions,
    reaction_actions,
    reader_actions,
    report_actions,
)
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.actions.page_actions import PageDraft
from fediblog.actions.reader_actions import FilterDraft
from fediblog.actions.report_actions import ReportDraft
from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.domain.blog import Blog
from fediblog.domain.documents import PUBLIC, Actor, Note, Picture, Visibility
from fediblog.domain.posts import Category, Post
from fediblog.federation import deleted_posts, prepared_actions, uploads
from fediblog.federation.keyring import make_keys
from fediblog.federation.site import Site, open_site
from fediblog.markup.clean import clean
from fediblog.media.pictures import Shape
from fediblog.prepare import relation_csv
from fediblog.settings import Settings
from fediblog.store.id_paging import Window
from fediblog.store.people import blog_settings, relations, server_state
from fediblog.store.posts import categories, conversations, free_pages, post_writing, posts, timelines
from fediblog.store.posts.media_files import Upload
from fediblog.store.posts.post_columns import Placement
from fediblog.store.readers import filters, lists, notifications, trash
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests.conftest import Clock
from tests.remote_accounts import save_remote

PICTURES = Path(__file__).parent / "pictures"
PASSWORD, TOKEN = "correct horse battery", "the-token-of-the-set-up-link"
BEGAN = 1_790_000_000_000  # 2026-09-21
FILLER = (
    "As part of a course for new professionals I was asked to look at my online networks, and at which of them does "
    "what for me. I expected a list. What I got was a cabinet, with a drawer for each of them and one that sticks.\n\n"
)
ARTICLE = (PICTURES / "article.md").read_text()
ARABIC = """طُلب مني أن أنظر إلى شبكاتي على الإنترنت، وإلى ما تفعله كل واحدة منها لي. توقعت قائمة، فحصلت على خزانة.

> الشبكة مكتب مراجع تحمله معك أينما ذهبت.
> — رافي مينون

- لا أحد يجدها بالبحث،
- ولا أحد يتابعها دون أن يسأل.

## بطاقة لكل مكان

| الشبكة | الغرض | كم مرة |
|---|---|---:|
| Fediverse | أسئلة وأخبار | 412 |

"""


@dataclass
class Furnished:
    """The furnished blog: its people, and addresses of its pages by the path of their route."""

    site: Site
    clock: Clock
    people: dict[str, Account] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # of what is neither
    pages: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)  # by who has logged in; "": nobody

    def path(self, name: str) -> str:
        """The address of a post, without the origin."""
        return self.posts[name].url.removeprefix(self.site.urls.origin)

    async def picture(self, who: str, name: str, shape: Shape = "post") -> Upload:
        return await uploads.upload(self.site, self.people[who].id, (PICTURES / name).read_bytes(), shape=shape)

    async def join(self, handle: str, name: str, summary: str, face: str, **profile: Any) -> None:
        """Somebody of ours, with a log-in of the same name."""
        word = await passwords.hashed(PASSWORD)

        def make(tx: Tx) -> Account:
            login = account_actions.add_login(tx, handle, word)
            return account_actions.add_account(tx, self.site.urls, login.id, handle, name, make_keys())

        self.people[handle] = await self.site.db.write(make)
        icon = (await self.picture(handle, face, "avatar")).id
        changes = ProfileChanges(name=name, summary=summary, icon=icon, icon_alt=f"{name}, drawn", **profile)
        await prepared_actions.update_profile(self.site, self.people[handle].id, changes)

    async def write(self, name: str, who: str, source: str, *, days: float = 0.01, **draft: Any) -> Post:
        self.clock.forward(seconds=int(days * 86_400))
        made = await prepared_actions.publish(self.site, self.people[who].id, Draft(source=source, **draft))
        self.posts[name] = made
        return made

    async def article(self, name: str, title: str, source: str, *, hero: str = "", alt: str = "", **draft: Any) -> Post:
        shown = File(upload=(await self.picture("ann", f"{hero}.webp")).id, alt=alt) if hero else None
        return await self.write(name, "ann", source, title=title, hero=shown, **draft)

    async def hear(self, name: str, author: Account, html: str, **fields: Any) -> Post:
        """A post of somebody on another server."""
        self.clock.forward(minutes=7)

        def store(tx: Tx) -> Post:
            uri = f"{author.uri}/posts/{name}"
            note = Note(uri=uri, kind="Note", author=author.uri, content=clean(html), to=(PUBLIC,), **fields)
            stored = posts.stored(tx, post_writing.insert(tx, note, author, Placement(visibility=Visibility.PUBLIC)))
            assert stored is not None
            timelines.spread(tx, stored)
            return stored

        self.posts[name] = await self.site.db.write(store)
        return self.posts[name]


async def furnish(site: Site, clock: Clock) -> Furnished:
    """Fill an empty server. A link that sets it up again is left, so that its page can be looked at as well."""
    blog = Furnished(site, clock)
    fields = (("Website", "https://calloway.example"), ("Pronouns", "she/her"))
    about = "Reference librarian. I help people to find what they did not know how to ask for."
    await blog.join("ann", "Ann Calloway", about, "ann.webp", fields=fields, language="en")
    await blog.join("ravi", "Ravi Menon", "Trains, mostly, and what is read in them.", "ravi.webp")
    await blog.join("ife", "Ife Adeyemi", "Catalogues in four languages.", "ife.webp", locked=True)
    tagline = "Ann Calloway on libraries, the people in them, and the networks in between."
    await site.db.write(blog_settings.put, Blog(title="Notes from the Enquiry Desk", tagline=tagline))
    await site.db.write(account_actions.add_login, "kim", await passwords.hashed(PASSWORD))  # without an account yet
    await _write_pages(site)
    await _write_posts(blog)
    await _write_comments(blog)
    await _fill_desk(blog)
    await _list_addresses(blog)
    await site.db.write(server_state.put, account_actions.SETUP_TOKEN, hashed(TOKEN))
    await site.db.write(invitation_actions.invite, blog.people["ann"].id, hashed(TOKEN), 3, 7)
    return blog


async def _write_pages(site: Site) -> None:
    about = "## Who writes here\n\nThree people who meet in a **library**.\n\n## How to reach us\n\nAnswer any post.\n"
    for title, role in (("About", "other"), ("Imprint", "other"), ("Privacy", "privacy"), ("Terms of use", "terms")):
        draft = PageDraft(title=title, source=about, published=True, role=role)  # type: ignore[arg-type]
        await prepared_actions.save_page(site, None, draft, frozenset())


async def _write_posts(blog: Furnished) -> None:
    urls, write = blog.site.urls, blog.site.db.write
    desk = await write(category_actions.add, Category(id=0, name="Desk life", slug="", description="What happens."))
    shelf = await write(category_actions.add, Category(id=0, name="Collections", slug="", parent=desk.id))
    seat = "A window with a hill behind it"
    await blog.article(
        "seat",
        "The window seat",
        FILLER * 8 + "#desklife",
        hero="window",
        alt=seat,
        summary="Where the best questions are asked.",
        categories=(desk.id,),
    )
    await blog.article(
        "map",
        "Linking the local groups: a map drawn with cards",
        FILLER * 30 + "#networks",
        hero="threads",
        alt="Index cards on a dark wall, joined with red thread",
        summary="Seven societies, three mailing lists, one kettle. Who talks to whom, and where the thread is lost.",
        days=7,
    )
    await blog.write("group", "ann", "Reading group moved to the 9th. Same room, better biscuits.", days=7)
    group = Draft(source="Reading group moved to the 9th. Same room, better biscuits, no agenda.")
    await prepared_actions.edit(blog.site, blog.people["ann"].id, blog.posts["group"].id, group)
    await blog.article("form", "A small defence of the paper form", FILLER * 6 + "#desklife", days=1)
    await blog.article(
        "weeding",
        "What I learned from weeding nine hundred books, and why I would not do it again in the week before "
        "the Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft came",
        FILLER * 18 + "#collections",
        hero="spines",
        alt="Book spines in many colours",
        summary="Every shelf has an argument in it. Ours was about gardening.",
        categories=(shelf.id,),
        days=7,
    )
    await blog.article(
        "ending", "On endings", "He *was* the gardener. #novels", warning="Tells the end of a novel", days=2
    )
    await blog.write(
        "arabic", "ife", ARABIC * 3 + "#شبكات", title="خمس شبكات ونظام واحد للملفات", language="ar", days=1
    )
    await blog.write("book", "ann", "Does anybody keep a #commonplacebook in public? Asking for a talk.", days=3)
    await blog.write("secret", "ann", "It was the blue one.", warning="Ends of novels", days=0.1)
    answers = PollDraft(options=("On the shelf", "In the returns", "Where it was never put"), seconds=30_000_000)
    await blog.write("poll", "ravi", "Where was it found?", poll=answers)
    shown = [await blog.picture("ravi", f"{name}.webp") for name in ("spines", "window", "threads")]
    files = tuple(File(upload=each.id, alt="From the walk through the stacks") for each in shown)
    await blog.write("walk", "ravi", "A walk through the #stacks, with pictures.", files=files)
    await blog.write("friends", "ann", "For those who follow: tea at four.", visibility=Visibility.FOLLOWERS)
    inside = [await blog.picture("ann", f"{name}.webp") for name in ("threads", "spines", "window", "drawers")]
    shows = ("Cards joined with thread", "Spines of books", "The window", "A drawer of cards")
    first, *others = (f"![{alt}](/media/{each.file})" for alt, each in zip(shows, inside, strict=True))
    source = ARTICLE.replace("PICTURE", first).replace("ROW", " ".join(others))
    await blog.article(
        "main",
        "Five networks and one filing system",
        source,
        hero="drawers",
        alt="A wall of card catalogue drawers, one of them open",
        summary="I was asked to list the places where I am online, and what each of them is for. It took an afternoon, "
        "forty index cards and a length of red thread.",
        categories=(desk.id, shelf.id),
        days=1,
    )
    await blog.write("green", "ann", "A reader asked for “the blue book about the sea”. She wanted the green one.")
    await write(post_actions.pin, urls, blog.people["ann"].id, blog.posts["map"].id)


async def _write_comments(blog: Furnished) -> None:
    site, people, main = blog.site, blog.people, blog.posts["main"]
    uri = "https://far.example/users/ben"
    ben = Actor(
        uri=uri,
        kind="Person",
        handle="ben",
        name="Ben Okri",
        inbox=f"{uri}/inbox",
        url="https://far.example/@ben",
        icon=Picture(url="https://far.example/ben.png"),
    )
    people["ben"] = await site.db.write(save_remote, ben, "far.example")
    first = await blog.write(
        "conference",
        "ravi",
        "The lonely card made me laugh out loud in a quiet carriage.\n\nHow do you decide who is “in two places”?",
        reply_to=main.id,
    )
    second = await blog.write("biscuits", "ann", "A conference is a place, too. It gets a card.", reply_to=first.id)
    await blog.write("mostly", "ravi", "Then mine is mostly biscuits.", reply_to=second.id)
    arabic = "فكرة جميلة! سأجربها مع زملائي في المكتبة الأسبوع القادم."
    await blog.write("idea", "ife", arabic, reply_to=main.id, language="ar")
    heard = await blog.hear("quiet", people["ben"], "<p>We tried this with <em>string</em>.</p>", in_reply_to=main.uri)
    await blog.write("string", "ann", "@ravi String is what the thread was before.", reply_to=heard.id)
    for who in ("ravi", "ife"):
        await site.db.write(reaction_actions.like, site.urls, people[who].id, main.id)
    await site.db.write(reaction_actions.boost, site.urls, people["ravi"].id, main.id)


async def _fill_desk(blog: Furnished) -> None:
    site, people = blog.site, blog.people
    ann = people["ann"].id
    far = "https://far.example/x"
    await site.db.write(relations.put_follow, ann, people["ben"].id, f"{far}/1", "accepted")
    await site.db.write(relations.put_follow, people["ben"].id, ann, f"{far}/2", "accepted")
    await blog.hear("tea", people["ben"], "<p>Tea has been moved to the reading room.</p>")
    await blog.write("tomorrow", "ann", FILLER, title="Not finished yet", state="draft")
    await blog.write("letter", "ravi", "@ann Could I borrow your cabinet story?", visibility=Visibility.DIRECT)
    await site.db.write(reader_actions.follow_tag, ann, "stacks")
    draft = FilterDraft(
        title="Ends", words=["biscuits"], whole_word=True, contexts=["thread"], action="warn", expires=None
    )
    await site.db.write(reader_actions.save_filter, ann, None, draft)
    readers = await site.db.write(reader_actions.add_list, ann, "Readers of maps")
    await site.db.write(reader_actions.put_in_list, ann, readers, [people["ben"].id])
    heard = blog.posts["quiet"]
    await site.db.write(notifications.add, ann, "reply", people["ben"].id, heard.id)
    await site.db.write(notifications.add, ann, "follow", people["ben"].id)
    await site.db.write(moderation_actions.mute_host, site.urls, ann, "loud.example")
    complaint = ReportDraft(target=people["ben"].id, posts=(heard.id,), comment="Says it with string.")
    kept = await site.db.write(report_actions.report, site.urls, people["ravi"].id, complaint)
    blog.numbers["report"] = kept.id
    await blog.write("gone", "ann", FILLER, title="A plan that came to nothing", warning="Old plans")
    await deleted_posts.delete(site, ann, blog.posts.pop("gone").id)
    blog.numbers["trash"] = (await site.db.read(trash.listed, ann, Window()))[0].id
    found, name = relation_csv.read("following", b"kim@far.example,true\nnobody,true\n"), "following_accounts.csv"
    bring = partial(import_actions.bring, account=ann, kind="following", file=name, found=found)
    blog.numbers["import"] = await site.db.write(partial(bring, looks_like="", overwrite=False))
    blog.numbers["asking"] = await site.db.write(partial(bring, looks_like="muted", overwrite=True))
    await site.db.write(oauth_grants.grant_by_hand, ann, "read write", "The weather script")


async def _list_addresses(blog: Furnished) -> None:
    """Each page that there is, by the path of its route: a route that is new has to be written here."""
    site, path, numbers = blog.site, blog.path, {name: post.id for name, post in blog.posts.items()}

    def register(tx: Tx) -> str:
        given = {"name": "Phanpy", "redirects": ["https://phanpy.example/back"], "scopes": "read write"}
        return oauth_grants.register(tx, site.urls, **given).app.client  # type: ignore[arg-type]

    client = await site.db.write(register)
    page = (await site.db.read(free_pages.every))[0].id
    category = (await site.db.read(categories.tree)).children()[0].id
    ann = blog.people["ann"].id
    letter = (await site.db.read(conversations.of_posts, ann, [numbers["letter"]]))[0].id
    word_filter = (await site.db.read(filters.of_account, ann))[0].id
    readers = (await site.db.read(lists.of_account, ann))[0].id
    asks = f"client_id={client}&redirect_uri=https://phanpy.example/back&response_type=code&scope=read"
    blog.pages[""] = {
        "/": ("/", "/?show=notes"),
        "/tags": ("/tags",),
        "/tags/{name}": ("/tags/desklife",),
        "/archive": ("/archive",),
        "/archive/{year:year}": ("/archive/2026",),
        "/archive/{year:year}/{month:month}": ("/archive/2026/10",),
        "/@{handle:handle}/archive": ("/@ann/archive",),
        "/@{handle:handle}/{year:year}": ("/@ann/2026",),
        "/@{handle:handle}/{year:year}/{month:month}": ("/@ann/2026/10",),
        "/categories": ("/categories",),
        "/category/{slug}": ("/category/desk-life",),
        "/login": ("/login",),
        "/setup": (f"/setup?token={TOKEN}",),
        "/follow": ("/follow?account=ann",),
        "/invited": (f"/invited?token={TOKEN}",),
        "/report": (f"/report?post={numbers['main']}",),
        "/search": ("/search?q=cards",),
        "/@{handle:handle}": ("/@ann", "/@ife"),
        "/@{handle:handle}/{n:number}": (path("walk"), path("secret"), path("poll")),
        "/post/{n:number}/history": (f"/post/{numbers['group']}/history",),
        "/@{handle:handle}/{year:year}/{month:month}/{slug}": tuple(map(path, ("main", "arabic", "weeding", "ending"))),
        "/{slug:slug}": ("/imprint", "/leads-nowhere"),
    }
    blog.pages["kim"] = {"/new-account": ("/new-account",)}
    blog.pages["ann"] = {
        "/": ("/",),
        "/@{handle:handle}/{year:year}/{month:month}/{slug}": (path("main"),),
        "/settings/categories": ("/settings/categories",),
        "/settings/categories/{n:number}": (f"/settings/categories/{category}",),
        "/settings/pages": ("/settings/pages",),
        "/settings/pages/new": ("/settings/pages/new",),
        "/settings/pages/{n:number}": (f"/settings/pages/{page}",),
        "/oauth/authorize": (f"/oauth/authorize?{asks}",),
        "/oauth/authorize/native": (f"/oauth/authorize/native?code={'x' * 30}",),
        "/settings/blog": ("/settings/blog",),
        "/settings/profile-page": ("/settings/profile-page",),
        "/stream": ("/stream",),
        "/letters": ("/letters",),
        "/letters/new": ("/letters/new",),
        "/letters/{n:number}": (f"/letters/{letter}",),
        "/stream/local": ("/stream/local",),
        "/stream/likes": ("/stream/likes",),
        "/stream/hashtags": ("/stream/hashtags",),
        "/stream/lists": ("/stream/lists",),
        "/stream/lists/{n:number}": (f"/stream/lists/{readers}",),
        "/tags/{name}": ("/tags/stacks",),
        "/bookmarks": ("/bookmarks",),
        "/notices": ("/notices",),
        "/people": ("/people", "/people?show=followers", "/people?show=servers"),
        "/people/import": ("/people/import",),
        "/people/import/{n:number}": tuple(f"/people/import/{blog.numbers[each]}" for each in ("import", "asking")),
        "/people/{n:number}/report": (f"/people/{blog.people['ben'].id}/report?post={numbers['quiet']}",),
        "/post/{n:number}/react": (f"/post/{numbers['quiet']}/react",),
        "/numbers": ("/numbers",),
        "/write": ("/write", f"/write?reply={numbers['quiet']}"),
        "/write/{n:number}": (f"/write/{numbers['main']}",),
        "/share": ("/share?title=A+page&url=https://far.example/page",),
        "/drafts": ("/drafts",),
        "/trash": ("/trash",),
        "/trash/{n:number}": (f"/trash/{blog.numbers['trash']}",),
        "/write/pictures": ("/write/pictures",),
        "/post/{n:number}/delete": (f"/post/{numbers['green']}/delete",),
        "/deliveries": ("/deliveries",),
        "/refusals": ("/refusals",),
        "/moderation": ("/moderation",),
        "/moderation/people": ("/moderation/people", "/moderation/people?show=others&q=ben"),
        "/moderation/server": ("/moderation/server",),
        "/moderation/wave": ("/moderation/wave", "/moderation/wave?hours=72&all=1"),
        "/moderation/report/{n:number}": (f"/moderation/report/{blog.numbers['report']}",),
        "/settings": ("/settings",),
        "/settings/apps": ("/settings/apps",),
        "/settings/filters": ("/settings/filters",),
        "/settings/filters/{n:number}": (f"/settings/filters/{word_filter}",),
        "/settings/export": ("/settings/export",),
        "/settings/delete": ("/settings/delete",),
        "/settings/security": ("/settings/security",),
        "/settings/security/authenticator": ("/settings/security/authenticator",),
        "/settings/security/recovery-codes": ("/settings/security/recovery-codes",),
        "/settings/security/passkeys": ("/settings/security/passkeys",),
        "/account/{n:number}": (f"/account/{blog.people['ben'].id}",),
        "/post/{n:number}": (f"/post/{numbers['quiet']}",),
    }


async def leave_empty(site: Site, clock: Clock) -> Furnished:
    """A server that nobody has set up yet, with a link that does."""
    await site.db.write(server_state.put, account_actions.SETUP_TOKEN, hashed(TOKEN))
    return Furnished(site, clock)


@asynccontextmanager
async def serve_furnished(
    folder: Path, furnish: Callable[[Site, Clock], Awaitable[Furnished]] = furnish, wait: int = 0
) -> AsyncIterator[Furnished]:
    """The furnished blog on a free port, whose posts wait for so many seconds in which they can be taken back."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        origin = f"http://localhost:{listening.getsockname()[1]}"
        clock = Clock(now=BEGAN)
        settings = Settings(data=folder, origin=origin, handle_domain="desk.example", take_back_seconds=wait)
        site = await open_site(settings, clock=clock)
        try:
            blog = await furnish(site, clock)
            server = uvicorn.Server(uvicorn.Config(create_app(site), log_level="warning", lifespan="off"))
            running = asyncio.create_task(server.serve([listening]))
            try:
                yield blog
            finally:
                server.should_exit = True
                await running
        finally:
            await site.close()
