"""Every command on a data folder, in this process: what it says, what it does, and its exit status."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fediblog.cli.command_table import COMMANDS
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.passwords import SHORTEST, check_password
from fediblog.store.engine.database import connect
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, apps, logins, passkeys, relation_lists, second_factors, server_state
from fediblog.store.posts import account_posts, posts
from fediblog.store.tx import Tx
from tests.cli.conftest import ORIGIN, PASSWORD, Run


@pytest.fixture
def data(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with alice in it, where commands look by themselves."""
    folder = tmp_path / "data"
    shutil.copytree(begun, folder)
    monkeypatch.setenv("FEDIBLOG_DATA", str(folder))
    return folder


def ask(data: Path, question: Callable[..., Any], *args: Any) -> Any:
    """Ask the database of a folder."""

    async def look() -> Any:
        db = await connect(data / "fediblog.db", readers=1)
        try:
            return await db.read(question, *args)
        finally:
            await db.close()

    return asyncio.run(look())


def test_accounts_that_hide_are_listed_for_the_operator(data: Path, run: Run) -> None:
    """What visitors are not shown the one who runs the server is."""

    async def hide() -> None:
        db = await connect(data / "fediblog.db", readers=1)
        alice = await db.read(accounts.local_by_handle, "alice")
        assert alice is not None
        await db.write(lambda tx: accounts.update_profile(tx, alice.id, discoverable=0))
        assert await db.read(accounts.listed) == []
        await db.close()

    asyncio.run(hide())
    assert "@alice" in run("user", "list").out
    assert "@alice@" in run("account", "list").out


def only_post(data: Path) -> Post:
    """The one post there is."""

    def look(tx: Tx) -> Post:
        alice = accounts.local_by_handle(tx, "alice")
        assert alice is not None
        found = [*account_posts.written(tx, alice.id, alice.id), *account_posts.drafts(tx, alice.id)]
        assert len(found) == 1
        return found[0]

    found: Post = ask(data, look)
    return found


def picture(path: Path) -> str:
    """A small picture in a file."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    path.write_bytes(file.getvalue())
    return str(path)


# The command line itself


def test_help_lists_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.status == 0
    for command in COMMANDS:
        assert command.line in ran.out
        assert command.help in ran.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_every_command_explains_itself(run: Run, command: Any) -> None:
    ran = run(*command.words, "--help")
    assert ran.status == 0
    assert "usage: fediblog " + " ".join(command.words) in ran.out
    assert all(example in ran.out for example in command.examples)


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("fediblog ")


@pytest.mark.parametrize("words", [(), ("fly",), ("user",), ("user", "add"), ("post", "alice", "--draft", "--at", "x")])
def test_words_that_are_not_understood_are_misuse(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.status == 2
    assert "usage: fediblog" in ran.err


def test_who_mistypes_is_told_how_it_is_meant(run: Run) -> None:
    assert "Once you have an address" in run().err  # the whole help
    unknown = run("user", "add", "ann", "--rôle", "owner")
    assert unknown.err.startswith("usage: fediblog user add ")
    assert "not understood: --rôle owner\n`fediblog user add --help` says more." in unknown.err


def test_a_setting_that_does_not_exist_is_misuse(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDIBLOG_ORIGEN", "https://blog.example")
    ran = run("user", "list")
    assert ran.status == 2
    assert ran.err.startswith("fediblog: FEDIBLOG_ORIGEN is not a setting.")


def test_a_mistyped_folder_is_named_and_not_made(run: Run, tmp_path: Path) -> None:
    ran = run("user", "list", "--data", str(tmp_path / "dta"))
    assert ran.status == 2
    assert "There is no fediblog in" in ran.err
    assert not (tmp_path / "dta").exists()


def test_another_origin_is_refused(run: Run, data: Path) -> None:
    ran = run("user", "list", "--origin", "https://other.example")
    assert ran.status == 2
    assert f"This data folder belongs to {ORIGIN}" in ran.err


@pytest.mark.parametrize("origin", ["http://blog.example", "http://10.0.0.1"])
def test_plain_http_is_refused(run: Run, tmp_path: Path, origin: str) -> None:
    ran = run("user", "list", "--origin", origin, "--data", str(tmp_path / "new"))
    assert ran.status == 2
    assert "is plain http" in ran.err
    assert not (tmp_path / "new").exists()


def test_plain_http_is_allowed_in_a_lab(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDIBLOG_LAB_HOSTS", "*.fedi.test")
    ran = run("user", "list", "--origin", "http://blog.fedi.test", "--data", str(tmp_path / "new"))
    assert (ran.status, ran.err) == (0, "")


# Users and accounts


def test_the_first_user_is_the_owner_and_ends_the_set_up_link(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert run("user", "list", "--data", str(folder), "--origin", ORIGIN).status == 0
    ask_write(folder, server_state.put, "setup-token", "hash")
    ran = run("user", "add", "Carol", "--password-file", "-", "--data", str(folder), stdin=f"{PASSWORD}\n")
    assert ran.status == 0
    assert "Added carol (owner)" in ran.out
    assert ask(folder, server_state.get, "setup-token") is None


def ask_write(data: Path, action: Callable[..., Any], *args: Any) -> None:
    async def do() -> None:
        db = await connect(data / "fediblog.db", readers=1)
        try:
            await db.write(action, *args)
        finally:
            await db.close()

    asyncio.run(do())


def test_a_user_gets_the_password_that_was_typed(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["typed by hand", "typed by hand"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    assert run("user", "add", "bob", terminal=True).status == 0
    assert check_password("typed by hand", ask(data, logins.password_hash, "bob"))


@pytest.mark.parametrize(
    ("answers", "message"), [(["one password", "another one"], "differ"), (["short", "short"], "at least 10")]
)
def test_a_password_typed_badly_changes_nothing(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str], message: str
) -> None:
    left = iter(answers)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(left))
    ran = run("user", "password", "alice", terminal=True)
    assert ran.status == 1
    assert message in ran.err
    assert check_password(PASSWORD, ask(data, logins.password_hash, "alice"))


def test_without_a_terminal_the_password_must_be_given(run: Run, data: Path) -> None:
    ran = run("user", "add", "bob")
    assert ran.status == 2
    assert "--password-file" in ran.err


def test_a_password_file_that_is_not_there(run: Run, data: Path) -> None:
    ran = run("user", "add", "bob", "--password-file", "nowhere")
    assert ran.status == 2
    assert "nowhere cannot be read" in ran.err


def test_a_name_that_is_taken_or_wrong(run: Run, data: Path) -> None:
    taken = run("user", "add", "alice", "--password-file", "-", stdin=PASSWORD)
    assert (taken.status, "already" in taken.err) == (1, True)
    wrong = run("user", "add", "not a name", "--password-file", "-", stdin=PASSWORD)
    assert (wrong.status, "letters" in wrong.err) == (1, True)


def test_a_second_user_is_a_member_unless_said_otherwise(run: Run, data: Path) -> None:
    assert "(member)" in run("user", "add", "bob", "--password-file", "-", stdin=PASSWORD).out
    assert "(owner)" in run("user", "add", "eve", "--password-file", "-", "--role", "owner", stdin=PASSWORD).out


def test_another_password(run: Run, data: Path) -> None:
    token = run("token", "@alice", "--scopes", "read").out.strip()
    assert ask(data, apps.token, apps.digest(token)) is not None
    ran = run("user", "password", "alice", "--password-file", "-", stdin="battery staple\r\n")
    assert ran.status == 0
    assert check_password("battery staple", ask(data, logins.password_hash, "alice"))
    assert ask(data, apps.token, apps.digest(token)) is None
    for words in (("user", "password", "alice"), ("user", "add", "carl")):  # as short as on no page
        short = run(*words, "--password-file", "-", stdin="x" * (SHORTEST - 1))
        assert (short.status, f"at least {SHORTEST} characters" in short.err) == (1, True)
    missing = run("user", "password", "nobody", "--password-file", "-", stdin="battery staple")
    assert (missing.status, "There is no login nobody" in missing.err) == (1, True)


def test_who_has_lost_the_second_step_gets_in_by_the_password(run: Run, data: Path) -> None:
    login = ask(data, logins.by_name, "alice")
    assert login is not None

    def lose(tx: Tx) -> None:
        second_factors.put_authenticator(tx, login.id, "n", 1)
        passkeys.add(tx, login.id, "c", "d", 0, "Lost")

    ask_write(data, lose)
    assert ask(data, second_factors.is_on, login.id)
    ran = run("user", "drop-second-factor", "alice")
    assert (ran.status, "password of alice is enough" in ran.out) == (0, True)
    assert not ask(data, second_factors.is_on, login.id)
    assert run("user", "drop-second-factor", "nobody").status == 1


def test_users_are_listed_with_their_accounts(run: Run, data: Path) -> None:
    assert run("account", "add", "alice", "garden").status == 0
    ran = run("user", "list")
    assert ran.out.split()[:2] == ["alice", "owner"]
    assert "@alice @garden" in ran.out


def test_accounts(run: Run, data: Path) -> None:
    added = run("account", "add", "alice", "@Garden", "--name", "The garden")
    assert f"Added @garden@blog.example for alice: {ORIGIN}/@garden" in added.out
    listed = run("account", "list").out.splitlines()
    assert [line.split()[:2] for line in listed] == [
        ["@alice@blog.example", "alice"],
        ["@garden@blog.example", "alice"],
    ]
    assert "The garden" in listed[1]


@pytest.mark.parametrize(
    ("login", "handle", "message"),
    [
        ("nobody", "new", "no login nobody"),
        ("alice", "alice", "taken"),
        ("alice", "admin", "kept"),
        ("alice", "ä", "a-z"),
    ],
)
def test_accounts_that_cannot_be(run: Run, data: Path, login: str, handle: str, message: str) -> None:
    ran = run("account", "add", login, handle)
    assert ran.status == 1
    assert message in ran.err


def test_an_account_is_deleted_only_if_that_is_meant(run: Run, data: Path) -> None:
    asked = run("account", "delete", "alice")
    assert (asked.status, "--sure" in asked.err) == (1, True)
    assert ask(data, accounts.local_by_handle, "alice").state == "active"
    assert run("account", "delete", "alice", "--sure").status == 0
    assert ask(data, accounts.local_by_handle, "alice").state == "deleted"
    assert run("post", "alice", stdin="Hello").status == 1
    assert run("account", "add", "alice", "alice").status == 1


# Writing


def test_a_note_from_standard_input(run: Run, data: Path) -> None:
    ran = run("post", "alice", stdin="Hello, *fediverse*! #introduction")
    assert ran.status == 0
    post = only_post(data)
    assert ran.out.strip() == post.url == f"{ORIGIN}/@alice/{post.id}"
    assert "<em>fediverse</em>" in post.content
    assert post.visibility is Visibility.PUBLIC


def test_an_article_from_a_file(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "walk.md").write_text("## The hill\n\nIt was steep.")
    words = ["--title", "A walk", "--summary", "Up a hill", "--warning", "height", "--visibility", "unlisted"]
    ran = run("post", "@alice", "walk.md", *words, "--language", "en-GB")
    post = only_post(data)
    assert ran.out.strip() == post.url
    assert post.url.endswith("/a-walk")
    assert (post.kind, post.title, post.warning, post.language) == ("Article", "A walk", "height", "en-GB")
    assert post.visibility is Visibility.UNLISTED
    refused = run("post", "alice", "--category", "Walks", stdin="Look")
    assert (refused.status, "There is no category called Walks" in refused.err) == (1, True)


def test_pictures_with_their_descriptions(run: Run, data: Path, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png")
    ran = run("post", "alice", "--attach", one, "--alt", "Teal", "--attach", two, stdin="Look")
    assert ran.status == 0, ran.err
    assert [each.alt for each in only_post(data).attachments] == ["Teal", ""]


def test_a_description_without_its_picture_is_misuse(run: Run, data: Path, tmp_path: Path) -> None:
    assert run("post", "alice", "--alt", "Teal", stdin="Look").status == 2
    one = picture(tmp_path / "one.png")
    assert run("post", "alice", "--attach", one, "--alt", "Teal", "--alt", "Blue", stdin="Look").status == 2


def test_a_file_that_is_no_picture(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_text("no picture")
    ran = run("post", "alice", "--attach", "one.png", stdin="Look")
    assert ran.status == 1
    assert run("post", "alice", "--attach", "two.png", stdin="Look").status == 2


def test_a_draft_and_a_scheduled_post(run: Run, data: Path) -> None:
    ran = run("post", "alice", "--draft", stdin="Not yet")
    post = only_post(data)
    assert post.state == "draft"
    assert f"{ORIGIN}/write/{post.id}" in ran.out


def test_a_post_for_later(run: Run, data: Path) -> None:
    then = (datetime.now(UTC) + timedelta(days=2)).replace(hour=7, minute=0, second=0, microsecond=0)
    there = then.astimezone(timezone(timedelta(hours=2)))
    ran = run("post", "alice", "--at", there.isoformat(), stdin="Later")
    post = only_post(data)
    assert (post.state, post.scheduled) == ("scheduled", then.timestamp() * 1000)
    assert f"{then:%Y-%m-%d} 07:00 UTC" in ran.out
    assert (run("post", "alice", "--at", "tomorrow", stdin="Later").status) == 2
    assert (run("post", "alice", "--at", "2001-01-01", stdin="Later").status) == 1


def test_an_answer_by_number_and_by_address(run: Run, data: Path) -> None:
    url = run("post", "alice", stdin="First").out.strip()
    number = int(url.rpartition("/")[2])
    second = run("post", "alice", "--reply-to", str(number), stdin="Second").out.strip()
    third = run("post", "alice", "--reply-to", second, stdin="Third").out.strip()
    answers = [ask(data, posts.by_link, each) for each in (second, third)]
    assert [each.parent for each in answers] == [number, answers[0].id]
    missing = run("post", "alice", "--reply-to", "1234", stdin="Nothing")
    assert (missing.status, "There is no post 1234" in missing.err) == (1, True)


def test_a_quote_and_who_may_comment(run: Run, data: Path) -> None:
    first = run("post", "alice", "--comments", "nobody", stdin="First").out.strip()
    second = run("post", "alice", "--quote", first, stdin="Second").out.strip()
    quoted, quoting = (ask(data, posts.by_link, each) for each in (first, second))
    assert (quoted.repliable, quoting.repliable) == ("nobody", "public")
    assert (quoting.quote, quoting.quote_state) == (quoted.uri, "accepted")


def test_posts_that_cannot_be(run: Run, data: Path) -> None:
    nobody = run("post", "bob", stdin="Hello")
    assert (nobody.status, "There is no account @bob here" in nobody.err) == (1, True)
    empty = run("post", "alice", stdin="  ")
    assert (empty.status, "Write something" in empty.err) == (1, True)
    assert run("post", "instance", stdin="Hello").status == 1
    assert run("post", "alice", "nowhere.md").status == 2


def test_follow_and_unfollow(run: Run, data: Path) -> None:
    assert run("account", "add", "alice", "garden").status == 0
    assert run("follow", "alice", "@garden@blog.example").status == 0

    def following(tx: Tx) -> list[str]:
        alice = accounts.local_by_handle(tx, "alice")
        assert alice is not None
        return [each.account.handle for each in relation_lists.following(tx, alice.id, Window())]

    assert ask(data, following) == ["garden"]
    assert run("unfollow", "alice", "garden").status == 0
    assert ask(data, following) == []
    assert run("unfollow", "alice", "@stranger@elsewhere.example").status == 1


def test_follow_somebody_who_cannot_be_found(run: Run, data: Path) -> None:
    ran = run("follow", "alice", "@bob@127.0.0.1")
    assert ran.status == 1
    assert ran.err.startswith("fediblog: ")
