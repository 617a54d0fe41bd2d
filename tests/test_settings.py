"""Settings: where they come from, which wins, and how a wrong one names itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from fediblog.errors import Misuse
from fediblog.settings import FILE_NAME, Settings, read


def write(folder: Path, text: str) -> dict[str, str]:
    """A settings file in a data folder; returns the environment that leads there."""
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_text(text)
    return {"FEDIBLOG_DATA": str(folder)}


def test_without_any_configuration_there_are_defaults() -> None:
    assert read({}) == Settings()
    assert Settings().database_url == "sqlite:///fediblog-data/fediblog.db"
    assert Settings().media == Path("fediblog-data/media")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().role = "web"  # type: ignore[misc]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    environment = write(tmp_path, 'title = "file"\ncontact = "file"\nlisten = "127.0.0.1:1"\n')
    environment |= {"FEDIBLOG_CONTACT": "environment", "FEDIBLOG_LISTEN": "127.0.0.1:2"}
    found = read(environment, {"listen": "127.0.0.1:3", "origin": None})
    assert (found.title, found.contact, found.listen) == ("file", "environment", "127.0.0.1:3")
    assert found.origin == ""


def test_the_folder_of_the_command_line_is_the_one_whose_file_is_read(tmp_path: Path) -> None:
    environment = write(tmp_path / "one", 'title = "one"')
    write(tmp_path / "two", 'title = "two"')
    assert read(environment).title == "one"
    found = read(environment, {"data": str(tmp_path / "two")})
    assert (found.title, found.data) == ("two", tmp_path / "two")


def test_toml_values_may_be_lists_and_booleans(tmp_path: Path) -> None:
    environment = write(
        tmp_path,
        """
        trusted_proxies = ["10.0.0.0/8", "fd00::/8"]
        lab_hosts = ["*.fedi.test", "blog.lab.test"]
        authorized_fetch = true
        """,
    )
    found = read(environment)
    assert found.trusted_proxies == ("10.0.0.0/8", "fd00::/8")
    assert found.lab_hosts == ("*.fedi.test", "blog.lab.test")
    assert found.authorized_fetch is True


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ORIGIN", "https://Blog.Example/", "https://blog.example"),
        ("ORIGIN", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("LISTEN", "[::1]:8080", "[::1]:8080"),
        ("LISTEN", "0.0.0.0:80", "0.0.0.0:80"),
        ("LISTEN", "unix:/run/fediblog/socket", "unix:/run/fediblog/socket"),
        ("HANDLE_DOMAIN", "Example.ORG", "example.org"),
        ("DATABASE", "postgresql:///fediblog", "postgresql:///fediblog"),
        ("ROLE", "Worker", "worker"),
        ("TRUSTED_PROXIES", "", ()),
        ("TRUSTED_PROXIES", "10.1.2.3, 192.168.0.0/16", ("10.1.2.3/32", "192.168.0.0/16")),
        ("LAB_HOSTS", "*.fedi.test", ("*.fedi.test",)),
        ("AUTHORIZED_FETCH", "on", True),
        ("AUTHORIZED_FETCH", "0", False),
        ("LOG_LEVEL", "DEBUG", "debug"),
        ("METRICS_TOKEN", "0123456789abcdef", "0123456789abcdef"),
        ("METRICS_TOKEN", "", ""),
        ("ACCOUNTS_PER_LOGIN", "1", 1),
        ("SPARE_BYTES", "0", 0),
        ("TAKE_BACK_SECONDS", "0", 0),
        ("TITLE", "My blog", "My blog"),
        ("SOURCE", "https://code.example/fork?at=1", "https://code.example/fork?at=1"),
        ("SOURCE", "", ""),
    ],
)
def test_a_value_is_understood(name: str, text: str, value: object) -> None:
    assert getattr(read({f"FEDIBLOG_{name}": text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("ORIGIN", "blog.example", "https://blog.example"),
        ("ORIGIN", "https://blog.example/path", "without a path"),
        ("ORIGIN", "ftp://blog.example", "https://blog.example"),
        ("ORIGIN", "https://user@blog.example", "https://blog.example"),
        ("LISTEN", "8080", "host:port"),
        ("LISTEN", "127.0.0.1:99999", "host:port"),
        ("LISTEN", "unix:relative", "host:port"),
        ("HANDLE_DOMAIN", "https://example.org", "a domain"),
        ("DATABASE", "mysql://example.org/blog", "postgresql://"),
        ("ROLE", "everything", "all, web, worker"),
        ("TRUSTED_PROXIES", "the proxy", "networks"),
        ("TRUSTED_PROXIES", "10.1.2.3/8", "networks"),
        ("LAB_HOSTS", "192.168.1.1", "never addresses"),
        ("LAB_HOSTS", "*", "names"),
        ("AUTHORIZED_FETCH", "perhaps", "true or false"),
        ("SOURCE", "javascript:alert(1)", "an address such as https://"),
        ("SOURCE", "code.example", "an address such as https://"),
        ("SOURCE", "https:///path", "an address such as https://"),
        ("METRICS_TOKEN", "short", "at least 16"),
        ("ACCOUNTS_PER_LOGIN", "0", "a whole number from 1 to"),
        ("ACCOUNTS_PER_LOGIN", "many", "a whole number from 1 to"),
        ("SPARE_BYTES", "-1", "a whole number from 0 to"),
        ("TAKE_BACK_SECONDS", "601", "a whole number from 0 to"),
        ("SPARE_BYTES", "9" * 30, "a whole number from 0 to"),
        ("METRICS_TOKEN", "with a space in the middle", "at least 16"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error"),
    ],
)
def test_a_wrong_value_names_itself_and_says_what_is_expected(name: str, text: str, expected: str) -> None:
    with pytest.raises(Misuse) as caught:
        read({f"FEDIBLOG_{name}": text})
    message = str(caught.value)
    assert f"FEDIBLOG_{name}" in message
    assert repr(text) in message
    assert expected in message


def test_a_wrong_value_says_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"role in .*fediblog\.toml is 'king'"):
        read(write(tmp_path, 'role = "king"'))
    with pytest.raises(Misuse, match="--handle-domain is 'a b'"):
        read({}, {"handle_domain": "a b"})


def test_an_unknown_setting_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    with pytest.raises(
        Misuse,
        match=r"FEDIBLOG_ORIGEN is not a setting\. The settings are: accounts_per_login, ai_crawlers, authorized",
    ):
        read({"FEDIBLOG_ORIGEN": "https://blog.example"})
    with pytest.raises(Misuse, match=r"registration in .*fediblog\.toml is not a setting"):
        read(write(tmp_path, "registration = true"))


def test_nobody_can_open_the_way_to_this_machine_by_a_setting(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="FEDIBLOG_LOOPBACK_AUTHORITIES is not a setting"):
        read({"FEDIBLOG_LOOPBACK_AUTHORITIES": "127.0.0.1:8080"})
    with pytest.raises(Misuse, match="loopback_authorities"):
        read(write(tmp_path, 'loopback_authorities = ["127.0.0.1:8080"]'))


@pytest.mark.parametrize("name", ["CORPUS", "NODE_PEERS", "REQUIRE_POSTGRES", "TEST_ANYTHING"])
def test_what_the_tests_are_told_is_no_setting(name: str) -> None:
    assert read({f"FEDIBLOG_{name}": "x", "PATH": "/bin"}) == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"fediblog\.toml cannot be read"):
        read(write(tmp_path, "origin = "))
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(Misuse, match=r"fediblog\.toml cannot be read"):
        read({"FEDIBLOG_DATA": str(tmp_path)})
