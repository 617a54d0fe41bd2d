"""Markers: up to where a timeline has been read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fediblog.errors import Invalid
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.base import moment
from fediblog.mastodon.params import Params
from fediblog.store.readers import markers, notifications
from fediblog.store.readers.markers import TIMELINES, Marker
from fediblog.store.tx import Tx

API = Table()


@API.get("/api/v1/markers", scope="read:statuses", gives="Markers", tier=1)
async def index(call: Call) -> Json:
    """Up to where the timelines `timeline[]` (home, notifications) have been read."""
    wanted = [each for each in call.params.texts("timeline") if each in TIMELINES]
    return _shape(await call.read(markers.get, call.account, wanted))


@API.post("/api/v1/markers", scope="write:statuses", gives="Markers", tier=1)
async def create(call: Call) -> Json:
    """Set how far `home[last_read_id]` and `notifications[last_read_id]` have been read."""
    return _shape(await call.write(_put, call.account, _wanted(call.params)))


def _wanted(params: Params) -> dict[str, int]:
    wanted = {}
    for name in TIMELINES:
        inner = params.inner(name)
        if inner.has("last_read_id"):
            number = inner.number("last_read_id")
            if number is None:
                raise Invalid(name, "api.marker-number")
            wanted[name] = number
    return wanted


def _put(tx: Tx, account: int, wanted: Mapping[str, int]) -> list[Marker]:
    if "notifications" in wanted:
        read = wanted["notifications"]
        number = notifications.number_of(tx, account, read) or (notifications.counted(tx, account) if read else 0)
        notifications.mark_read(tx, account, number)
        wanted = {**wanted, "notifications": number}
    for name, number in wanted.items():
        markers.put(tx, account, name, number)
    return markers.get(tx, account, list(wanted))


def _shape(found: Sequence[Marker]) -> Json:
    return {
        each.timeline: {
            "last_read_id": str(each.last_read),
            "version": each.version,
            "updated_at": moment(each.updated),
        }
        for each in found
    }
