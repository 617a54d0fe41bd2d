"""The stage on which our people act, on either database."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from tests.actions.stage import Stage, stage_on
from tests.conftest import Clock


@pytest.fixture
async def stage(db: Database, clock: Clock) -> Stage:
    return await stage_on(db, clock)
