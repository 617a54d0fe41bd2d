"""Pictures from anybody: metadata go, bombs are refused, no decoder outlives its time."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import blurhash  # type: ignore[import-untyped]
import pytest
from PIL import Image

from fediblog.errors import Invalid, Unavailable
from fediblog.media import decoder
from fediblog.media.formats import MEDIA_TYPES, SUFFIXES, focal_point, media_type
from fediblog.media.pictures import AT_ONCE, DecodedPicture, Variant, process


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def two_halves(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    return image


def frames(count: int, size: tuple[int, int] = (40, 30)) -> list[Image.Image]:
    return [Image.new("RGB", size, (number * 40 % 256, 0, 128)) for number in range(count)]


def opened(variant: Variant) -> Image.Image:
    image = Image.open(BytesIO(variant.data))
    image.load()
    return image


def named(picture: DecodedPicture) -> dict[str, Variant]:
    return {variant.name: variant for variant in picture.variants}


async def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(Invalid) as caught:
        await process(data, **options)
    assert caught.value.field == "file"
    return caught.value.message


async def test_place_and_camera_are_forgotten_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (47.0, 22.0, 33.0)
    data = saved(two_halves(), "JPEG", quality=95, exif=exif, comment=b"SecretComment") + b"SecretTail"
    assert b"SecretCamera" in data

    picture = await process(data)

    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 40, 60)
    body = picture.variants[0].data
    assert b"Secret" not in body
    assert b"Exif" not in body
    image = opened(picture.variants[0])
    assert not image.getexif()
    top, bottom = image.getpixel((20, 5)), image.getpixel((20, 55))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200
    assert bottom[2] > 200


async def test_text_chunks_of_png_go_and_alpha_stays() -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "SecretAuthor")
    notes.add_itxt("XML:com.adobe.xmp", "<x>SecretXmp</x>")
    image = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    image.paste((0, 0, 255, 200), (10, 0, 20, 10))
    picture = await process(saved(image, "PNG", pnginfo=notes) + b"SecretTail")
    assert picture.media_type == "image/png"
    assert b"Secret" not in picture.variants[0].data
    result = opened(picture.variants[0])
    assert result.mode == "RGBA"
    assert result.getpixel((15, 5)) == (0, 0, 255, 200)
    assert not result.info


async def test_sizes_are_made_as_needed() -> None:
    big = named(await process(saved(two_halves((4000, 2000)), "JPEG", quality=50)))
    assert {name: (each.width, each.height) for name, each in big.items()} == {
        "full": (3840, 1920),
        "large": (1280, 640),
        "small": (400, 200),
    }
    assert all(opened(each).size == (each.width, each.height) for each in big.values())
    little = await process(saved(two_halves((300, 200)), "JPEG"))
    assert list(named(little)) == ["full"]
    assert little.variants[0].suffix == ".jpg"


async def test_an_avatar_is_square() -> None:
    picture = await process(saved(two_halves((900, 500)), "PNG"), shape="avatar")
    assert [(each.name, each.width, each.height) for each in picture.variants] == [
        ("full", 400, 400),
        ("small", 120, 120),
    ]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_animations_still_move(kind: str) -> None:
    first, *others = frames(4)
    data = saved(first, kind, save_all=True, append_images=others, duration=80, loop=0)
    picture = await process(data)
    result = Image.open(BytesIO(picture.variants[0].data))
    assert (picture.media_type, picture.width, picture.height) == ("image/webp", 40, 30)
    assert getattr(result, "n_frames", 1) == 4


async def test_a_long_animation_becomes_a_still_picture() -> None:
    first, *others = frames(decoder.FRAMES + 1, (4, 4))
    picture = await process(saved(first, "GIF", save_all=True, append_images=others, duration=20))
    assert picture.media_type == "image/png"


@pytest.mark.parametrize(
    ("image", "kind", "wanted"),
    [
        (two_halves().convert("CMYK"), "JPEG", "image/jpeg"),
        (two_halves().convert("L"), "JPEG", "image/jpeg"),
        (two_halves().convert("P"), "PNG", "image/png"),
        (two_halves().convert("1"), "PNG", "image/png"),
        (Image.new("I;16", (20, 20), 40_000), "PNG", "image/png"),
        (two_halves().convert("RGBA"), "WEBP", "image/jpeg"),
        (Image.new("RGBA", (20, 20), (1, 2, 3, 4)), "WEBP", "image/webp"),
        (two_halves(), "AVIF", "image/jpeg"),
        (two_halves(), "GIF", "image/png"),
        (Image.new("RGB", (1, 1)), "PNG", "image/png"),
        (Image.new("RGB", (3000, 1)), "PNG", "image/png"),
    ],
)
async def test_every_mode_is_read(image: Image.Image, kind: str, wanted: str) -> None:
    picture = await process(saved(image, kind))
    assert picture.media_type == wanted
    assert (picture.width, picture.height) == image.size
    across, down = blurhash.components(picture.blurhash)
    assert {across, down} == {3, 4}


async def test_sixteen_bits_of_grey_are_scaled() -> None:
    picture = await process(saved(Image.new("I;16", (20, 20), 128 * 256), "PNG"))
    assert opened(picture.variants[0]).convert("L").getpixel((5, 5)) == 128


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, body: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


async def test_a_pixel_bomb_is_refused_by_its_header() -> None:
    bomb = png(60_000, 60_000, zlib.compress(bytes(1_000_000)))
    assert await refusal(bomb) == "This picture has more than 40 million pixels. Make it smaller and try again."


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
async def test_half_a_picture_is_refused(kind: str) -> None:
    whole = saved(Image.effect_noise((300, 200), 80).convert("RGB"), kind)
    assert "Save it again" in await refusal(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BM" + bytes(100),
        b"\x00\x00\x00\x18ftypheic" + bytes(100),
        b"\x00\x00\x00\x18ftypmp42" + bytes(100),
    ],
)
async def test_other_files_are_refused_without_a_process(data: bytes) -> None:
    message = await refusal(data, program=("/nonexistent",))
    assert message == "This is not a picture that can be shown here. Use JPEG, PNG, GIF, WebP or AVIF."


@pytest.mark.parametrize("magic", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
async def test_garbage_behind_a_good_beginning(magic: bytes) -> None:
    assert "Save it again" in await refusal(magic + bytes(range(256)) * 4)


async def test_a_large_file_is_refused_unread() -> None:
    assert await refusal(b"\xff\xd8\xff" + bytes(2 * 1024 * 1024), limit=1024 * 1024, program=("/nonexistent",)) == (
        "This file is too large. At most 1 MB are possible."
    )


JPEG = b"\xff\xd8\xff rest"


async def test_a_hanging_decoder_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    message = await refusal(JPEG, timeout=0.5, program=(sys.executable, "-I", "-c", script))
    assert message == "This picture takes too long to read. Make it smaller and try again."
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


async def test_a_decoder_dies_with_its_caller(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    os.mkfifo(note)
    script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    task = asyncio.create_task(process(JPEG, program=(sys.executable, "-I", "-c", script)))
    pid = int(await asyncio.to_thread(note.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "script",
    [
        "import sys; sys.exit(1)",
        "import os; os.abort()",
        "pass",
        "print('not framed at all')",
        "import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\2[]')",
        'import sys; sys.stdout.buffer.write(b\'\\0\\0\\0\\x1f\' + b\'{"blurhash":"","variants":[]}  \')',
        'import sys; h=b\'{"blurhash":"","variants":[{"name":"full","media_type":"image/png","width":1,"height":1,'
        '"size":9}]}\'; sys.stdout.buffer.write(len(h).to_bytes(4, "big") + h + b"<script>x")',
    ],
)
async def test_a_decoder_that_was_taken_over_is_not_believed(script: str) -> None:
    program = (sys.executable, "-I", "-c", script)
    assert await refusal(JPEG, program=program) == "This picture cannot be read. Save it again and try once more."


async def test_endless_output_ends() -> None:
    script = "import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))"
    assert "cannot be read" in await refusal(JPEG, program=(sys.executable, "-I", "-c", script))


async def test_the_decoder_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDIBLOG_SECRET", "x")
    script = (
        "import json, os; t=json.dumps({'error': ' '.join(os.environ)}).encode(); os.write(1, len(t).to_bytes(4)+t)"
    )
    assert "FEDIBLOG" not in await refusal(JPEG, program=(sys.executable, "-I", "-c", script))


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
async def test_a_decoder_that_the_system_ends_says_nothing_of_the_picture(number: str) -> None:
    script = f"import os, signal; os.kill(os.getpid(), signal.{number})"
    with pytest.raises(Unavailable, match="pictures-busy"):
        await process(JPEG, program=(sys.executable, "-I", "-c", script))


async def test_many_at_once_take_turns() -> None:
    data, slots = saved(two_halves(), "PNG"), asyncio.Semaphore(AT_ONCE)
    pictures = await asyncio.gather(*(process(data, slots=slots) for _ in range(AT_ONCE * 2)))
    assert len({picture.blurhash for picture in pictures}) == 1
    assert not slots.locked()


def test_types_and_endings_are_one_table() -> None:
    assert {MEDIA_TYPES[suffix] for suffix in SUFFIXES.values()} == set(SUFFIXES)
    assert media_type(b"\x00\x00\x00\x1cftypavif") == "image/avif"
    assert media_type(b"GIF88a") is None


@pytest.mark.parametrize(
    ("point", "wanted"),
    [
        ((0, 0.5), (0.0, 0.5)),
        ((-3, 10**400), (-1.0, 1.0)),
        ((float("inf"), float("-inf")), (1.0, -1.0)),
        ((float("nan"), 0), None),
        (("0", 0), None),
        ((True, 0), None),
        ((None, None), None),
    ],
)
def test_focal_points(point: tuple[object, object], wanted: tuple[float, float] | None) -> None:
    assert focal_point(*point) == wanted
