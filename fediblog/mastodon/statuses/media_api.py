"""Pictures that an app uploads for a post to come, with their description and their centre of interest."""

from __future__ import annotations

from starlette.datastructures import UploadFile

from fediblog.actions.drafts import ALT_LIMIT
from fediblog.actions.post_of_draft import attachment_of
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import uploads
from fediblog.markup.text import tidy
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.status_entity import attachment
from fediblog.mastodon.params import Params
from fediblog.media.formats import focal_point
from fediblog.media.pictures import UPLOAD_LIMIT
from fediblog.store.posts import media_files
from fediblog.store.posts.media_files import Upload
from fediblog.store.tx import Tx

API = Table()
PATIENCE = 4.0  # seconds after which an app must ask again, rather than to wait
ABANDONED = 600_000  # ms after which a picture that is still not ready never will be: the server was ended meanwhile
_NOTE = "202 and no `url` for a picture that takes longer than a few seconds; ask for it until it is no longer 206."


def described(params: Params) -> str:
    """The description. Raises Invalid for one that is too long."""
    description = tidy(params.text("description")).strip()
    if len(description) > ALT_LIMIT:
        raise Invalid("description", "api.long-description", n=ALT_LIMIT)
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


_UNFINISHED: Json = {
    "type": "image",
    "url": None,
    "preview_url": None,
    "remote_url": None,
    "preview_remote_url": None,
    "text_url": None,
    "meta": {},
    "blurhash": None,
}


def shape(urls: Urls, upload: Upload) -> Json:
    """MediaAttachment of an upload that no post carries yet, or UnfinishedMedia."""
    if not upload.file:
        return {**_UNFINISHED, "id": str(upload.id), "description": upload.alt or None}
    return attachment(attachment_of(urls, upload, upload.alt, upload.focus))


@API.post("/api/v2/media", scope="write:media", gives="MediaAttachmentOrUnfinished", tier=2, note=_NOTE)
async def begin(call: Call) -> Reply:
    """Upload a picture for a post to come."""
    return await _add(call, PATIENCE)


@API.post("/api/v1/media", scope="write:media", gives="MediaAttachment", tier=2)
async def add(call: Call) -> Reply:
    """Upload a picture for a post to come, and wait until it is ready."""
    return await _add(call, None)


async def _add(call: Call, patience: float | None) -> Reply:
    chosen = call.params.file("file")
    if chosen is None:
        raise Invalid("file", "api.no-file")
    alt, focus, data = described(call.params), point_of(call.params), await data_of(chosen)
    if patience is None:
        upload = await uploads.upload(call.site, call.account, data)
    else:
        upload = await uploads.begin(call.site, call.account, data, patience=patience)
    if alt or focus is not None:
        upload = await call.write(_describe, call.account, upload.id, alt, focus)
    return Reply(shape(call.site.urls, upload), 200 if upload.file else 202)


async def data_of(chosen: UploadFile) -> bytes:
    """The bytes of an uploaded file. Raises Invalid for too many."""
    if chosen.size is not None and chosen.size > UPLOAD_LIMIT:
        raise Invalid("file", "error.file-too-large", name=(chosen.filename or "")[:80], n=UPLOAD_LIMIT >> 20)
    return await chosen.read(UPLOAD_LIMIT + 1)


def _describe(tx: Tx, account: int, number: int, alt: str, focus: tuple[float, float] | None) -> Upload:
    media_files.describe(tx, number, alt, focus)
    return _own(tx, account, number)


@API.get("/api/v1/media/{id}", scope="write:media", gives="MediaAttachmentOrUnfinished", tier=2, note=_NOTE)
async def one(call: Call) -> Reply:
    """An uploaded picture of one's own."""
    upload = await call.read(_own, call.account, call.number())
    if problem := media_files.refusal(upload, "file"):
        raise problem
    if not upload.file and call.site.clock() - upload.created > ABANDONED:
        raise Invalid("file", "api.media-abandoned")
    return Reply(shape(call.site.urls, upload), 200 if upload.file else 206)


@API.put("/api/v1/media/{id}", scope="write:media", gives="MediaAttachmentOrUnfinished", tier=2)
async def change(call: Call) -> Json:
    """Describe a picture that no post carries yet; what is not sent stays."""
    upload = await call.write(_change, call.account, call.number(), call.params)
    return shape(call.site.urls, upload)


def _change(tx: Tx, account: int, number: int, params: Params) -> Upload:
    upload = _own(tx, account, number)
    if media_files.is_attached(tx, number):
        raise NotFound()
    alt = described(params) if params.has("description") else upload.alt
    return _describe(tx, account, number, alt, point_of(params) if params.has("focus") else upload.focus)


@API.delete("/api/v1/media/{id}", scope="write:media", tier=3)
async def remove(call: Call) -> None:
    """Throw away a picture that nothing shows."""
    await call.write(_remove, call.account, call.number())


def _remove(tx: Tx, account: int, number: int) -> None:
    upload = _own(tx, account, number)
    if media_files.is_shown(tx, upload):
        raise Invalid("media", "api.media-used")
    media_files.remove(tx, number)


def _own(tx: Tx, account: int, number: int) -> Upload:
    upload = media_files.get(tx, number, account)
    if upload is None:
        raise NotFound()
    return upload
