"""Pictures that are decoded while nobody waits for them any more, and what a site that closes waits for."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from fediblog.federation import uploads
from fediblog.federation.site import Site
from fediblog.store.posts import media_files
from tests.federation.stranger import ORIGIN, home
from tests.world import WorldEngine, new_site


async def test_a_site_that_closes_waits_for_what_is_under_way(tmp_path: Path, database_url: str) -> None:
    out = BytesIO()
    Image.new("RGB", (4, 4), "teal").save(out, "PNG")
    async with home(tmp_path, database=database_url) as place:
        begun = await uploads.begin(place.site, place.alice.id, out.getvalue(), patience=0.0)
        assert begun.file == ""
    again = await new_site(tmp_path, ORIGIN, cast(WorldEngine, place.web), place.clock, database=database_url)
    try:
        found = await again.db.read(media_files.get, begun.id, place.alice.id)
        assert found is not None
        assert found.file
    finally:
        await again.close()


class _LastWords:
    """Keeps something for the first time while the site closes, and fails."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def finish(self) -> None:
        self._site.keep(_LastWord)
        raise RuntimeError("it does not end")


class _LastWord:
    def __init__(self, _site: Site) -> None:
        """Something else that belongs to the site."""


async def test_a_site_lets_go_of_its_database_whatever_fails_before(tmp_path: Path) -> None:
    async with home(tmp_path) as place:
        site = place.site
        site.keep(_LastWords)
        with pytest.raises(RuntimeError, match="it does not end"):
            await site.close()
        del site.kept[_LastWords]
    assert not (tmp_path / "fediblog.db-wal").exists()
