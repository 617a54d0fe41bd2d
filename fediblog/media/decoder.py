"""The program that decodes one picture in a process of its own, with little memory, little time and no files.

It reads the picture from its input and writes to its output: four bytes with the length of a JSON header, the header,
then the variants' bytes one after the other. The header is `{"error": key of a message}` or describes the variants.
"""

from __future__ import annotations

import json
import struct
import sys
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fediblog.media.child_process import confine
from fediblog.media.formats import media_type

if TYPE_CHECKING:
    from PIL import Image

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space."""
CPU_SECONDS: Final = 20
PIXELS: Final = 40_000_000
"""Width times height of a picture that is decoded at all."""
READ_LIMIT: Final = 64 * 1024 * 1024

FRAMES: Final = 300
FRAME_PIXELS: Final = 40_000_000
"""Pixels of all frames of an animation, as we write it; longer ones become a still picture."""
ANIMATION_SIDE: Final = 640
ANIMATION_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of an animation, as we write it."""

LOSSLESS_LIMIT: Final = 1_500_000
"""Bytes up to which a picture that came without loss is written without loss."""


class Size(NamedTuple):
    """A variant's name and its longest side; `square` ones are cropped in the middle."""

    name: str
    side: int
    square: bool = False


SHAPES: Final = {
    "post": (Size("full", 3840), Size("large", 1280), Size("small", 400)),
    "avatar": (Size("full", 400, square=True), Size("small", 120, square=True)),
    "header": (Size("full", 1500), Size("small", 600)),
    "remote": (Size("full", 1600), Size("small", 480)),
    "emoji": (Size("full", 128),),
}


class Unreadable(Exception):
    """Says by the key of a message why there will be no picture."""


def main(shape: str) -> int:
    confine(MEMORY, CPU_SECONDS)
    data = sys.stdin.buffer.read(READ_LIMIT)
    try:
        header, bodies = convert(data, SHAPES[shape])
    except Unreadable as error:
        header, bodies = {"error": str(error)}, []
    except MemoryError:
        header, bodies = {"error": "media.no-memory"}, []
    text = json.dumps(header).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(text)) + text)
    for body in bodies:
        sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
    return 0


def convert(data: bytes, sizes: tuple[Size, ...]) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the bodies of all variants."""
    image, kind = _opened(data)
    try:
        animation = _animation(image, sizes[0]) if kind != "image/jpeg" and not sizes[0].square else None
        still = _upright(image)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError) as error:
        raise Unreadable("media.damaged") from error
    lossless = kind in ("image/png", "image/gif")
    variants, bodies = [], []
    for place, size in enumerate(sizes):
        if place and max(still.size) <= size.side:
            continue
        small = _resized(still, size)
        if place == 0 and animation:
            written, body, dimensions = "image/webp", *animation
        else:
            written, body = _encoded(small, lossless)
            dimensions = small.size
        variants.append(_described(size.name, written, dimensions, body))
        bodies.append(body)
    return {"blurhash": _blurhash(still), "variants": variants}, bodies


def _described(name: str, written: str, size: tuple[int, int], body: bytes) -> dict[str, Any]:
    return {"name": name, "media_type": written, "width": size[0], "height": size[1], "size": len(body)}


def _opened(data: bytes) -> tuple[Image.Image, str]:
    """The picture, its header read and its size found bearable; nothing is decoded yet."""
    from PIL import AvifImagePlugin, Image

    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Threads would each take a stack of the little address space.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    kind = media_type(data)
    if kind is None:
        raise Unreadable("media.not-a-picture")
    try:
        image = Image.open(BytesIO(data), formats=[kind.removeprefix("image/").upper()])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("media.too-many-pixels") from error
    except Exception as error:
        raise Unreadable("media.unreadable") from error
    if image.width * image.height > PIXELS:
        raise Unreadable("media.too-many-pixels")
    return image, kind


def _upright(image: Image.Image) -> Image.Image:
    """The first frame as its author sees it: turned as its metadata say, in sRGB, with alpha only if it is used."""
    from PIL import Image, ImageOps

    try:
        if image.format == "JPEG":
            # Decodes a large photo at a half or a quarter of its size, if that is still enough.
            image.draft(None, (SHAPES["post"][0].side,) * 2)
        image.seek(0)
        image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("media.too-many-pixels") from error
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    clear = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    image = _in_srgb(image, profile).convert("RGBA" if clear else "RGB")
    if clear and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8, which `convert` would clip rather than scale."""
    wide = image.convert("I")
    return wide.point(lambda value: value * (1 / 256)).convert("L")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The picture in the colours that a browser takes for granted when there is no profile."""
    if not isinstance(profile, bytes) or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        changed = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return changed or image


def _resized(image: Image.Image, size: Size) -> Image.Image:
    from PIL import Image, ImageOps

    if size.square:
        side = min(size.side, *image.size)
        return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    copy = image.copy()
    copy.thumbnail((size.side, size.side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return copy


def _encoded(image: Image.Image, lossless: bool) -> tuple[str, bytes]:
    """PNG for what came without loss, if that is short; else JPEG, or WebP where something shines through."""
    image.info = {}
    if lossless:
        body = _saved(image, "PNG", optimize=True)
        if len(body) <= LOSSLESS_LIMIT:
            return "image/png", body
    if image.mode == "RGBA":
        return "image/webp", _saved(image, "WEBP", quality=85, method=4)
    return "image/jpeg", _saved(image, "JPEG", quality=85, progressive=True, optimize=True)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _animation(image: Image.Image, size: Size) -> tuple[bytes, tuple[int, int]] | None:
    """The animation as WebP and its dimensions; None if it does not move or is too long."""
    count = getattr(image, "n_frames", 1)
    if not 1 < count <= FRAMES:
        return None
    small = Size(size.name, min(size.side, ANIMATION_SIDE))
    frames, durations = [], []
    for number in range(count):
        image.seek(number)
        frame = _resized(image.convert("RGBA"), small)
        if frame.width * frame.height * count > FRAME_PIXELS:
            return None
        frames.append(frame)
        # Browsers take less than 20 ms for 100 ms; so do we, in writing.
        duration = int(image.info.get("duration") or 0)
        durations.append(duration if 20 <= duration <= 60_000 else 100)
    loops = image.info.get("loop", 1)
    frames[0].info = {}
    body = _saved(
        frames[0],
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=loops if isinstance(loops, int) and 0 <= loops < 65536 else 0,
        quality=75,
        method=2,
    )
    return (body, frames[0].size) if len(body) <= ANIMATION_LIMIT else None


def _blurhash(image: Image.Image) -> str:
    """The picture's colours in some thirty characters, shown while it loads."""
    from blurhash import encode  # type: ignore[import-untyped]
    from PIL import Image

    tiny = image.convert("RGBA") if image.mode == "RGBA" else image
    if tiny.mode == "RGBA":
        paper = Image.new("RGBA", tiny.size, "white")
        tiny = Image.alpha_composite(paper, tiny).convert("RGB")
    tiny = tiny.resize((max(1, min(32, tiny.width)), max(1, min(32, tiny.height))), Image.Resampling.BOX)
    flat = tiny.tobytes()
    rows = [
        [list(flat[at : at + 3]) for at in range(start, start + tiny.width * 3, 3)]
        for start in range(0, len(flat), tiny.width * 3)
    ]
    across, down = (4, 3) if image.width >= image.height else (3, 4)
    return str(encode(rows, across, down))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
