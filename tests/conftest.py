"""What all tests share: a clock that stands still, and an empty database on either engine."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from fediblog import formdata, passwords
from fediblog.store.engine.database import Database, connect
from tests import postgres

ROOT = Path(__file__).parent
# Every run tries the same, however slow the machine is.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fast", settings.get_profile("steady"), max_examples=30)
USUAL = 100  # examples that are tried of what holds for all


def pytest_configure(config: pytest.Config) -> None:
    """The fast ring tries fewer examples."""
    global USUAL
    settings.load_profile("fast" if config.option.markexpr == "not slow" else "steady")
    USUAL = settings().max_examples


LARGE = {"cli", "fuzz", "peers", "promises", "security"}  # folders whose tests start processes or whole worlds
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fast ring does not even read the folders that it leaves out."""
    return (
        config.option.markexpr == "not slow" and collection_path.parent == ROOT and collection_path.name in LARGE
    ) or None


def pytest_collection_finish() -> None:
    """Modules and tests stay: what looks for garbage need not pass them each time."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast ring leaves out the second engine, real processes, and all that starts programs of others.

    Files with long tests come first: at the end of a run no process waits for another's.
    """
    for item in items:
        folder = item.path.relative_to(ROOT).parts[0]
        if folder in LARGE or any(item.get_closest_marker(name) for name in ("postgres", "browser", "node", "nginx")):
            item.add_marker(pytest.mark.slow)
    long = {item.path for item in items if item.get_closest_marker("slow") and not item.get_closest_marker("postgres")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def _passwords_take_no_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same hashes with less work, but for tests of what they cost (`real_passwords`)."""
    with pytest.MonkeyPatch.context() as patch:  # its own: a test may undo what it has patched itself
        if "real_passwords" not in request.fixturenames:
            patch.setattr(passwords, "_MEMORY", 64)
            patch.setattr(passwords, "_PASSES", 1)
            patch.setattr(passwords, "_PREFIX", "$argon2id$v=19$m=64,t=1,p=1$")
        yield


@pytest.fixture
def real_passwords() -> Iterator[None]:
    """Passwords are hashed as they are in earnest."""
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture(autouse=True)
def _logging_as_it_begins() -> Iterator[None]:
    """What a command sets up for its own process does not outlive its test."""
    yield
    logger = logging.getLogger("fediblog")
    logger.handlers[:], logger.propagate, logger.disabled = [], True, False
    logger.setLevel(logging.NOTSET)


@dataclass
class Clock:
    """Time that passes only when a test says so; `now` is UTC in milliseconds."""

    now: int = 1_750_000_000_000
    # Shared by all databases of a test: two with the same seed would make the same ids in the same moment.
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def __call__(self) -> int:
        return self.now

    def forward(self, *, ms: int = 0, seconds: int = 0, minutes: int = 0, hours: int = 0, days: int = 0) -> None:
        self.now += ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[SpooledTemporaryFile[bytes]]:
    """The files that come in with forms, in the order in which they do."""
    found: list[SpooledTemporaryFile[bytes]] = []

    def opened(max_size: int) -> SpooledTemporaryFile[bytes]:
        found.append(SpooledTemporaryFile(max_size=max_size))  # noqa: SIM115  whether it is closed is asked
        return found[-1]

    monkeypatch.setattr(formdata, "SpooledTemporaryFile", opened)
    return found


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server, started when the first test asks for it."""
    binaries = postgres.programs()
    if binaries is None:
        reason = "PostgreSQL's server programs (initdb, postgres) are not installed"
        if postgres.REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.running_cluster(binaries) as running:
        yield running


@cache
def empty_database() -> bytes:
    """An SQLite file with our schema."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        path = Path(folder) / "empty.db"
        pool.submit(asyncio.run, _migrate(path)).result()  # in a thread: here a loop may be running
        return path.read_bytes()


@pytest.fixture(scope="session")
def migrated_database(cluster: postgres.Cluster) -> str:
    """The name of a PostgreSQL database with our schema, to be used as template."""
    name = cluster.create()
    asyncio.run(_migrate(cluster.url(name)))
    return name


async def _migrate(where: str | Path) -> None:
    await (await connect(where, clock=Clock())).close()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with our schema and no data, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        path = tmp_path / "fediblog.db"
        path.write_bytes(empty_database())
        yield f"sqlite:///{path}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    name = cluster.create(request.getfixturevalue("migrated_database"))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def db(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """An open, empty database with our schema, with the fixed clock; a test that uses it runs on both engines."""
    database = await connect(database_url, **options(clock))
    yield database
    await database.close()


def options(clock: Clock) -> dict[str, Any]:
    """Arguments of `connect` for tests: the clock, the same random ids in every run, few connections."""
    return {"clock": clock, "random": clock.random.getrandbits, "readers": 2, "connections": 4}
