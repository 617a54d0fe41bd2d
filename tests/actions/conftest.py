"""The stage on which our people act, on either database."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from tests.actions.stage import Stage, make_local, make_remote
from tests.conftest import Clock


@pytest.fixture
async def stage(db: Database, clock: Clock) -> Stage:
    return Stage(
        db,
        clock,
        ann=await db.write(make_local, "ann"),
        cem=await db.write(make_local, "cem"),
        ben=await db.write(make_remote, "ben", "ben.test", shared=True),
        dan=await db.write(make_remote, "dan", "dan.test", shared=False),
    )
