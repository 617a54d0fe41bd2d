"""Pictures that are decoded while nobody waits for them any more."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import cast

from PIL import Image

from fediblog.federation import uploads
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
