"""Pages that stand by themselves: written by the owner, read by everybody, sent to nobody."""

from __future__ import annotations

import pytest

from fediblog.actions.page_actions import PageDraft
from fediblog.app import ROUTES
from fediblog.federation import prepared_actions, text_rendering
from fediblog.markup.slug import slugify
from fediblog.messages import LANGUAGES, text
from fediblog.store.posts import free_pages
from fediblog.store.posts.free_pages import ROLES
from fediblog.web.pages.free_page import role_named
from fediblog.web.route_index import RouteIndex
from tests.security.test_unsent import second_login
from tests.web.pages.conftest import Blog

SETTINGS = "/settings/pages"
WORDS = sorted(RouteIndex(ROUTES).first_words)


async def made(blog: Blog, title: str, **more: object) -> free_pages.FreePage:
    draft = PageDraft(**{"title": title, "source": "Text", "published": True, **more})  # type: ignore[arg-type]
    return await prepared_actions.save_page(blog.site, None, draft, WORDS)


async def test_the_owner_writes_previews_publishes_and_deletes(blog: Blog) -> None:
    owner, visitor = await blog.owner(), blog.browser()
    assert f'href="{SETTINGS}"' in (await owner.get("/settings")).text
    assert 'href="/settings/blog"' in (await owner.get("/settings")).text.partition("<main")[2]
    typed = {"title": "Imprint", "source": "**Ann**\n\nHere <script>x</script>", "role": "imprint", "language": "en"}
    shown = (await owner.post(f"{SETTINGS}/new", {**typed, "do": "preview"})).text
    assert ("<strong>Ann</strong>" in shown, "<script>x" in shown) == (True, False)
    assert (await visitor.get("/imprint")).status_code == 404
    assert (await owner.post(f"{SETTINGS}/new", {**typed, "do": "draft"})).headers["location"] == SETTINGS
    assert (await visitor.get("/imprint")).status_code == 404
    assert "/imprint" in (await owner.get(SETTINGS)).text
    [page] = await blog.site.db.read(free_pages.every)
    at = f"{SETTINGS}/{page.id}"
    assert (await owner.post(at, {**typed, "do": "publish"})).status_code == 303
    answer = await visitor.get("/imprint")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (200, "nosniff")
    title = "<title>Imprint – A Test Blog</title>"
    for word in ("<strong>Ann</strong>", title, 'lang="en"', "https://blog.test/imprint"):
        assert word in answer.text, word
    assert ("etag" in answer.headers, "script>x" in answer.text) == (True, False)
    assert "Imprint" not in (await visitor.get("/")).text.partition("<main")[2].partition("</main")[0]
    assert await blog.site.db.read(lambda tx: tx.all("select 1 as yes from outgoing")) == []
    await owner.post(at, {**typed, "source": "Another text", "slug": "who we are", "do": "publish"})
    for browser, status in ((visitor, 301), (owner, 303)):
        answer = await browser.get("/imprint")
        assert (answer.status_code, answer.headers["location"]) == (status, "/who-we-are")
    assert "Another text" in (await visitor.get("/who-we-are")).text
    assert (await made(blog, "Imprint")).slug == "imprint-2"
    assert (await owner.post(f"{at}/delete")).status_code == 422
    assert (await owner.post(f"{at}/delete", {"sure": "1"})).status_code == 303
    for path in ("/imprint", "/who-we-are"):
        assert (await visitor.get(path)).status_code == 404


async def test_what_a_page_is_follows_from_its_name_until_somebody_chooses(blog: Blog) -> None:
    """In every language of ours, by title or address; what was chosen stays."""
    owner = await blog.owner()
    assert '<option value="">' in (await owner.get(f"{SETTINGS}/new")).text
    names = [(role, text(language, f"page.role-{role}")) for role in ROLES[:-1] for language in LANGUAGES]
    assert all(role_named(title, "") == role_named("Other", slugify(title)) == role for role, title in names)
    assert role_named("About time", "") == role_named("", "") == "other"
    form = {"title": "Datenschutz", "source": "Text", "do": "publish", "role": ""}
    for title, role in (("Datenschutz", ""), ("Imprint", "other")):
        assert (await owner.post(f"{SETTINGS}/new", {**form, "title": title, "role": role})).status_code == 303
    found = {page.title: page for page in await blog.site.db.read(free_pages.every)}
    assert [(title, page.role) for title, page in sorted(found.items())] == [
        ("Datenschutz", "privacy"),
        ("Imprint", "other"),
    ]
    edit = (await owner.get(f"{SETTINGS}/{found['Imprint'].id}")).text
    assert ('<option value="">' in edit, '<option value="other" selected>' in edit) == (False, True)
    preview = (await owner.post(f"{SETTINGS}/new", {**form, "do": "preview"})).text
    assert "selected" not in preview.partition('name="role"')[2].partition("</select>")[0]


async def test_no_page_takes_an_address_of_the_server(blog: Blog) -> None:
    """The table of what is taken is made of the routes: whatever they begin with."""
    assert {"settings", "inbox", "archive", "tags", "api", "write", "category"} <= {*WORDS}
    owner = await blog.owner()
    for word in WORDS:
        if slugify(word) != word:
            continue  # which is never made of what is typed
        answer = await owner.post(f"{SETTINGS}/new", {"title": "A page", "slug": word, "source": "x", "do": "publish"})
        told = f"/{word} is an address of the server itself. Choose another one."
        assert (answer.status_code, told in answer.text) == (422, True), word
    assert await blog.site.db.read(free_pages.every) == []
    titled = await owner.post(f"{SETTINGS}/new", {"title": "Archive", "source": "x", "do": "publish"})
    assert titled.status_code == 422
    assert (await blog.browser().get("/inbox")).status_code == 405


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "!!!"}, "slug"),
        ({"source": "x" * 400_001}, "source"),
        ({"language": "no language"}, "language"),
    ],
)
async def test_mistakes_are_told_at_their_field_and_lose_nothing(
    blog: Blog, changes: dict[str, str], field: str
) -> None:
    owner = await blog.owner()
    typed = {"title": "About me", "source": "What I typed", **changes}
    answer = await owner.post(f"{SETTINGS}/new", {**typed, "do": "publish"})
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert "What I typed" in answer.text or field == "source"


async def test_a_long_text_is_rendered_in_a_process_of_its_own(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    apart = text_rendering._render_apart

    async def watched(*given: object) -> object:
        asked.append("apart")
        return await apart(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(text_rendering, "_render_apart", watched)
    page = await made(blog, "Long", source="# A part\n\nword\n\n" * 500)
    assert asked == ["apart"]
    assert page.content.count("<h1") == 500


async def test_apps_find_privacy_and_terms_and_menus_what_there_is(blog: Blog) -> None:
    visitor = blog.browser()
    assert (await visitor.get("/api/v1/instance/terms_of_service")).status_code == 404
    for role, title in (("other", "Zebra"), ("terms", "Terms"), ("privacy", "Your data"), ("other", "Aardvark")):
        await made(blog, title, role=role, source=f"About {title}")
    await made(blog, "Not yet", role="about", published=False)
    found = await blog.site.db.read(free_pages.published)
    assert [(each.slug, each.title, each.role) for each in found] == [
        ("your-data", "Your data", "privacy"),
        ("terms", "Terms", "terms"),
        ("aardvark", "Aardvark", "other"),
        ("zebra", "Zebra", "other"),
    ]
    urls = (await visitor.get("/api/v2/instance")).json()["configuration"]["urls"]
    assert (urls["privacy_policy"], urls["terms_of_service"]) == (
        "https://blog.test/your-data",
        "https://blog.test/terms",
    )
    for path, word in (("privacy_policy", "About Your data"), ("terms_of_service", "About Terms")):
        assert word in (await visitor.get(f"/api/v1/instance/{path}")).json()["content"]


async def test_only_the_owner_writes_pages(blog: Blog) -> None:
    await second_login(blog)
    member = blog.browser()
    await member.log_in("ben")
    page = await made(blog, "About", published=False)
    for path in (SETTINGS, f"{SETTINGS}/new", f"{SETTINGS}/{page.id}", "/settings/categories"):
        assert (await member.get(path)).status_code == 403
    for path in (f"{SETTINGS}/new", f"{SETTINGS}/{page.id}", f"{SETTINGS}/{page.id}/delete", "/settings/categories"):
        typed = {"title": "Mine", "name": "Mine", "source": "x", "do": "publish", "sure": "1"}
        assert (await member.post(path, typed)).status_code == 403
    assert await blog.site.db.read(free_pages.every) == [page]
    assert SETTINGS not in (await member.get("/settings")).text
