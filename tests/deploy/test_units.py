"""The service file, the container file and the pins name commands, settings, files and versions that exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fediblog import cli, settings
from fediblog.cli.connection_limits import BODY_PAUSE, BODY_RATE, BODY_TIME, HEAD_TIME
from fediblog.web.activitypub.inbox_limits import PATIENCE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = re.compile(r"([a-z0-9-]+)==(\S+)( ;[^\\]*)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def unit(key: str) -> list[str]:
    lines = (DEPLOY / "fediblog.service").read_text().splitlines()
    return [line.removeprefix(f"{key}=") for line in lines if line.startswith(f"{key}=")]


def container(instruction: str) -> list[str]:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    return [line.removeprefix(f"{instruction} ") for line in text.splitlines() if line.startswith(f"{instruction} ")]


def test_the_service_starts_the_server_with_real_settings() -> None:
    program, verb, *options = shlex.split(unit("ExecStart")[0])
    assert program == "/opt/fediblog/.venv/bin/fediblog"
    assert Path(program).name in PROJECT["scripts"]
    assert verb == "serve"
    given = {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in zip(options[::2], options[1::2], strict=True)
    }
    read = settings.read({}, given)
    assert str(read.data) == f"/var/lib/{unit('StateDirectory')[0]}" == unit("WorkingDirectory")[0]
    assert f"server {read.listen};" in (DEPLOY / "nginx-site.conf").read_text()
    assert f"reverse_proxy {read.listen} " in (DEPLOY / "Caddyfile").read_text()
    assert f"path: {read.database_url.removeprefix('sqlite:///')}\n" in (DEPLOY / "litestream.yml").read_text()


def test_proxies_end_slow_heads_and_bodies() -> None:
    """nginx counts the time between two pieces of a body, Caddy that of all of it: the largest at the least rate."""
    nginx, caddy = ((DEPLOY / name).read_text() for name in ("nginx-site.conf", "Caddyfile"))
    (head, body), (size,) = (
        [int(each) for each in re.findall(rf"^    client_(?:{names}) ([0-9]+)[sm];$", nginx, re.MULTILINE)]
        for names in ("header_timeout|body_timeout", "max_body_size")
    )
    assert head == HEAD_TIME
    assert PATIENCE <= body < BODY_PAUSE
    assert f"and {BODY_PAUSE:g} s without a piece of its body" in nginx
    (all_of_it,) = re.findall(
        r"^\tservers {\n\t\ttimeouts {\n\t\t\tread_header 10s\n(?:\t\t\t#.*\n)*\t\t\tread_body ([0-9]+)m\n\t\t}\n\t}\n",
        caddy,
        re.MULTILINE,
    )
    assert BODY_TIME + size * 1_000_000 / BODY_RATE < int(all_of_it) * 60


def test_caddy_logs_no_token_and_compresses() -> None:
    """As nginx does, which is tried in test_nginx: the tokens of apps stand behind `?`, the set-up link in Referer.

    The filter is that of all its logs: a request that failed is repeated in others than the log of requests. The
    WebSocket's protocol is a token too, and comes back in the answer; Location may hold a code for an app.
    """
    text = (DEPLOY / "Caddyfile").read_text()
    first, *sites = re.findall(r"^(?:blog\.example )?{\n.*?^}$", text, re.DOTALL | re.MULTILINE)
    (fields,) = re.findall(
        r"^\tlog {\s+format filter {\s+wrap json\s+fields {(.*?)}\s+}\s+}", first, re.DOTALL | re.MULTILINE
    )
    rules = [line.split(maxsplit=1) for line in fields.strip().splitlines()]
    assert dict(rules) == {
        "request>uri": r'regexp "\?.*" ""',
        "request>headers>Referer": "delete",
        "request>headers>Sec-Websocket-Protocol": "delete",
        "resp_headers>Sec-Websocket-Protocol": "delete",
        "resp_headers>Sec-WebSocket-Protocol": "delete",
        "resp_headers>Location": r'regexp "\?.*" ""',
    }
    (site,) = sites
    assert re.findall(r"^\s*log\b.*$", site, re.MULTILINE) == [
        "\tlog"
    ]  # none of its own, which would need its own filter
    assert re.search(r"^\tencode zstd gzip {$", text, re.MULTILINE)
    for kind in ("text/", "application/json", "application/activity+json", "application/ld+json"):
        assert re.search(rf"^\t+header Content-Type {re.escape(kind)}\*$", text, re.MULTILINE)


def test_misuse_is_not_tried_again_and_again() -> None:
    assert unit("Restart") == ["on-failure"]
    assert unit("RestartPreventExitStatus") == [str(cli.MISUSED)]


def test_the_service_names_a_page_that_exists() -> None:
    page = unit("Documentation")[0].removeprefix("file:/opt/fediblog/")
    assert (ROOT / page).is_file()


@pytest.mark.parametrize(
    "line", ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "PrivateTmp=yes", "User=fediblog"]
)
def test_the_service_is_shut_in(line: str) -> None:
    assert line in (DEPLOY / "fediblog.service").read_text().splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_service(tmp_path: Path) -> None:
    text = (DEPLOY / "fediblog.service").read_text()
    copy = tmp_path / "fediblog.service"
    copy.write_text(text.replace("/opt/fediblog/.venv/bin/fediblog", "/bin/true"))
    checked = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert "fediblog.service:" not in checked.stderr


def test_the_container_copies_files_that_exist() -> None:
    for arguments in container("COPY"):
        *sources, _ = [part for part in arguments.split() if not part.startswith("--")]
        for source in sources:
            assert source == "/opt/fediblog" or (ROOT / source).exists()


def test_the_container_runs_the_server_as_nobody_special() -> None:
    assert container("USER") == ["10001"]
    assert container("ENTRYPOINT") == ['["fediblog"]']
    assert container("CMD") == ['["serve"]']


def test_the_container_has_real_settings() -> None:
    named = re.findall(r"(FEDIBLOG_[A-Z_]+)=(\S+)", " ".join(container("ENV")))
    assert str(settings.read(dict(named)).data) == container("VOLUME")[0]


def pins(name: str) -> dict[str, str]:
    text = (DEPLOY / name).read_text()
    found = PINNED.findall(text)
    assert "".join(match.group() for match in PINNED.finditer(text)) == text, "every line is a pin or its hash"
    return {each[0]: each[1] for each in found}


def wanted(*extras: str) -> set[str]:
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    names = {match.group() for each in lists for line in each if (match := NAME.match(line))}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names} - {"fediblog"} | {"setuptools"}


def test_every_dependency_is_pinned_by_hash() -> None:
    assert wanted("postgres") <= pins("constraints.txt").keys()
    assert wanted("postgres", "test") <= pins("constraints-test.txt").keys()


def test_the_tests_run_with_the_versions_that_are_shipped() -> None:
    assert pins("constraints.txt").items() <= pins("constraints-test.txt").items()


def test_every_dependency_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z0-9-]+)`", (ROOT / "docs" / "dependencies.md").read_text(), re.M))
    assert explained == wanted("postgres", "test")
