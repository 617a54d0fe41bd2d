"""The server under test as a process of its own: the site, its worker and its pages, as they run in earnest.

Only the resolver is another: every name leads to the loopback interface.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from fediblog import log
from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft, kind_of, text_of
from fediblog.app import create_app
from fediblog.cli.serve import calm_collector
from fediblog.domain.urls import Urls
from fediblog.federation import prepared_actions
from fediblog.federation.site import Site, make_policy, open_site
from fediblog.federation.worker import Worker
from fediblog.net import SocketEngine
from fediblog.settings import Settings
from fediblog.store.engine import sqlite_connection
from tests.bench import helper
from tests.bench.bare import serving
from tests.bench.stalls import StallMonitor


async def loopback(host: str, port: int) -> list[str]:
    """A resolver for which every name is this machine."""
    return ["127.0.0.1"]


async def main(config: dict[str, Any]) -> None:
    log.configure("info")
    sqlite_connection.MOST_SECONDS *= config["slower"]  # or each short transaction would be taken for a long one
    sys.setswitchinterval(
        sys.getswitchinterval() * config["slower"]
    )  # or threads would ask for their turn all the time
    settings = Settings(
        data=Path(config["data"]),
        origin=config["origin"],
        database=config["database"],
        lab_hosts=("*.bench.test",),
        title="Bench",
        take_back_seconds=0,
    )
    policy = make_policy(settings, Urls(config["origin"], config["origin"].removeprefix("https://")))
    site = await open_site(settings, engine=SocketEngine(policy, loopback))
    app = create_app(site, worker=Worker(site))
    calm_collector()
    async with serving(app, "on") as port:
        helper.say(port=port)
        monitors: list[StallMonitor] = []

        async def answer(asked: dict[str, Any]) -> dict[str, Any]:
            match asked["do"]:
                case "watch":
                    monitors.append(StallMonitor(site))
                    return {}
                case "watched":
                    return await monitors.pop().end()
            return await do(site, asked)

        await helper.obey(answer)
    await site.close()


async def do(site: Site, asked: dict[str, Any]) -> dict[str, Any]:
    """`publish`: what the form for a new post does once it has been read. `collect`: look for cycles now."""
    if asked["do"] == "publish":
        draft = Draft(source=asked["text"])
        started = time.monotonic()
        wording = await prepared_actions.word(site, (text_of(draft, kind_of(draft)),))
        post = await site.db.write(post_actions.publish, site.urls, asked["account"], draft, wording)
        return {"post": post.id, "started": started}
    if asked["do"] == "collect":
        gc.collect()
    return {}


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
