"""All pages × looks × widths × schemes in a browser: `python -m tests.web.matrix [--looks studio] [--widths 390,768]`.

Needs Chromium and the npm package of tests/web/axe. Prints what is wrong, and how many screens were looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from fediblog.domain.blog import LOOKS
from fediblog.store.people import blog_settings
from tests.web.furnished import Furnished, serve_furnished
from tests.web.screens import SCHEMES, Screen, Window, open_window, start_chromium

WIDTHS = (320, 390, 768, 1024, 1280, 1920)


async def look_at(blog: Furnished, window: Window, who: str, look: str, screens: list[Screen]) -> int:
    """Look at all pages of somebody in one look; how many faults they have."""
    found = 0
    for path in [path for each in blog.pages[who].values() for path in each]:
        await window.open(path)
        faults: dict[str, list[str]] = {}
        for where, fault in (each.split(": ", 1) for each in await window.faults(*screens)):
            faults.setdefault(fault, []).append(where)
        found += len(faults)
        for fault, places in faults.items():
            print(f"{look}, {who or 'nobody'}, {path}, {'; '.join(places)}: {fault}", flush=True)
    return found


async def main(looks: list[str], widths: list[int]) -> int:
    """Look at everything; the number of faults."""
    screens = [Screen(width, scheme, opened) for opened in (False, True) for width in widths for scheme in SCHEMES]
    faults = pages = 0
    with tempfile.TemporaryDirectory() as folder:
        async with serve_furnished(Path(folder)) as blog, start_chromium() as browser:
            usual = await blog.site.db.read(blog_settings.get)
            for who, routes in blog.pages.items():
                window = await open_window(browser, blog, who)
                for look in looks if not who else looks[:1]:  # the desk is the same in each
                    await blog.site.db.write(blog_settings.put, replace(usual, look=look))
                    faults += await look_at(blog, window, who, look, screens)
                    pages += sum(map(len, routes.values()))
    print(f"{pages} pages on {len(screens)} screens each ({', '.join(map(str, widths))} px): {faults} faults")
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", default=",".join(LOOKS))
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)))
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.looks.split(","), list(map(int, asked.widths.split(","))))) > 0)
