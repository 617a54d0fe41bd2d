"""Pictures that an app uploads for a post to come, with their description and their centre of interest."""

from __future__ import annotations

from starlette.datastructures import UploadFile

from fediblog.actions.composing import attachment_of
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import uploads
from fediblog.markup.text import tidy
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.entities.statuses import attachment
from fediblog.mastodon.params import Params
from fediblog.mastodon.table import Table
from fediblog.media.formats import focal_point
from fediblog.media.pictures import UPLOAD_LIMIT
from fediblog.messages import text
from fediblog.store import files
from fediblog.store.files import Upload
from fediblog.store.tx import Tx

API = Table()
LONGEST = 1_500  # characters of a description
_NOTE = "Pictures are ready when the answer comes, so that there is never anything to wait for."


def described(params: Params) -> str:
    """The description. Raises Invalid for one that is too long."""
    description = tidy(params.text("description")).strip()
    if len(description) > LONGEST:
        raise Invalid("description", text("api.long-description", n=LONGEST))
    return description


def point_of(params: Params) -> tuple[float, float] | None:
    """The centre of interest, sent as `x,y` or as two numbers."""
    given = params.texts("focus")
    parts = given[0].split(",") if len(given) == 1 else given
    try:
        x, y = map(float, parts)
    except ValueError:
        return None
    return focal_point(x, y)


def shape(urls: Urls, upload: Upload) -> Json:
    """MediaAttachment of an upload that no post carries yet."""
    return attachment(attachment_of(urls, upload, upload.alt, upload.focus))


@API.post("/api/v2/media", "/api/v1/media", scope="write:media", gives="MediaAttachment", tier=2, note=_NOTE)
async def add(call: Call) -> Json:
    """Upload a picture for a post to come."""
    chosen = call.params.file("file")
    if chosen is None:
        raise Invalid("file", text("api.no-file"))
    alt, focus = described(call.params), point_of(call.params)
    upload = await uploads.upload(call.site, call.account, await data_of(chosen))
    if alt or focus is not None:
        upload = await call.write(_describe, call.account, upload.id, alt, focus)
    return shape(call.site.urls, upload)


async def data_of(chosen: UploadFile) -> bytes:
    """The bytes of an uploaded file. Raises Invalid for too many."""
    if chosen.size is not None and chosen.size > UPLOAD_LIMIT:
        raise Invalid("file", text("error.file-too-large", name=(chosen.filename or "")[:80], n=UPLOAD_LIMIT >> 20))
    return await chosen.read(UPLOAD_LIMIT + 1)


def _describe(tx: Tx, account: int, number: int, alt: str, focus: tuple[float, float] | None) -> Upload:
    files.describe(tx, number, alt, focus)
    return _own(tx, account, number)


@API.get("/api/v1/media/{id}", scope="write:media", gives="MediaAttachment", tier=2, note=_NOTE)
async def one(call: Call) -> Json:
    """An uploaded picture of one's own."""
    return shape(call.site.urls, await call.read(_own, call.account, call.number()))


@API.put("/api/v1/media/{id}", scope="write:media", gives="MediaAttachment", tier=2)
async def change(call: Call) -> Json:
    """Describe a picture that no post carries yet; what is not sent stays."""
    upload = await call.write(_change, call.account, call.number(), call.params)
    return shape(call.site.urls, upload)


def _change(tx: Tx, account: int, number: int, params: Params) -> Upload:
    upload = _own(tx, account, number)
    if files.is_attached(tx, number):
        raise NotFound()
    alt = described(params) if params.has("description") else upload.alt
    return _describe(tx, account, number, alt, point_of(params) if params.has("focus") else upload.focus)


@API.delete("/api/v1/media/{id}", scope="write:media", tier=3)
async def remove(call: Call) -> None:
    """Throw away a picture that nothing shows."""
    await call.write(_remove, call.account, call.number())


def _remove(tx: Tx, account: int, number: int) -> None:
    upload = _own(tx, account, number)
    if files.is_shown(tx, upload):
        raise Invalid("media", text("api.media-used"))
    files.remove(tx, number)


def _own(tx: Tx, account: int, number: int) -> Upload:
    upload = files.get(tx, number, account)
    if upload is None:
        raise NotFound()
    return upload
