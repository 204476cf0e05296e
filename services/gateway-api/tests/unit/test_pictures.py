"""Pictures of strangers are drawn anew, or refused."""

import io
import struct
import zlib

import pytest
from gateway_api.domain.pictures import (
    MOST_BYTES,
    WIDTHS,
    UnusablePicture,
    id_of,
    picture_named,
    picture_path,
    rendered,
)
from PIL import Image, PngImagePlugin


def encoded(size: tuple[int, int] = (1600, 1000), form: str = "JPEG", **options) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, form, **options)
    return out.getvalue()


def opened(raw: bytes) -> Image.Image:
    return Image.open(io.BytesIO(raw))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_kept_as_webp_in_two_widths(form: str) -> None:
    drawn = rendered(encoded(form=form))
    assert (drawn.width, drawn.height) == (1200, 750)
    assert {width: opened(raw).size for width, raw in drawn.files.items()} == {
        480: (480, 300),
        1200: (1200, 750),
    }
    assert {opened(raw).format for raw in drawn.files.values()} == {"WEBP"}


def test_a_small_picture_is_not_blown_up() -> None:
    drawn = rendered(encoded((300, 200)))
    assert (drawn.width, drawn.height) == (300, 200)
    assert {opened(raw).size for raw in drawn.files.values()} == {(300, 200)}


def test_where_and_with_what_a_photo_was_taken_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Kari"
    exif.get_ifd(0x8825)[1] = "N"
    raw = encoded(exif=exif, comment=b"taken at home", icc_profile=b"a profile with a name in it")
    assert b"Camera of Kari" in raw
    for kept in rendered(raw).files.values():
        assert b"Kari" not in kept
        assert b"home" not in kept
        assert b"profile" not in kept
        assert not opened(kept).getexif()


def test_texts_beside_the_pixels_of_a_png_are_gone() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Kari")
    assert all(b"Kari" not in kept for kept in rendered(encoded(form="PNG", pnginfo=texts)).files.values())


def test_a_photo_taken_upright_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = rendered(encoded((1000, 500), exif=exif))
    assert (drawn.width, drawn.height) == (500, 1000)


def test_what_hides_behind_the_picture_is_left_out() -> None:
    raw = encoded() + b"<script>alert(1)</script>"
    assert all(b"script" not in kept for kept in rendered(raw).files.values())


def test_of_what_moves_the_first_picture_stays() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    kept = opened(rendered(out.getvalue()).files[480])
    assert getattr(kept, "n_frames", 1) == 1
    assert kept.convert("RGB").getpixel((5, 5))[0] > 200


def test_a_very_high_picture_is_cut() -> None:
    drawn = rendered(encoded((300, 4000)))
    assert (drawn.width, drawn.height) == (300, 900)


def png_that_says(width: int, height: int) -> bytes:
    """A valid PNG of a few bytes that claims a size (PNG third edition, section 11.2.2)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>Not found</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"GIF89a" + b"\xff" * 20,
        png_that_says(60_000, 60_000),
        png_that_says(5_500, 5_500),
        png_that_says(400, 400),
        encoded()[:2000],
        encoded((1, 1)),
        b"\xff\xd8" + b"\x00" * MOST_BYTES,
    ],
    ids=["empty", "page", "svg", "broken-gif", "bomb", "large", "no-pixels", "cut-off", "counts-readers", "heavy"],
)  # fmt: skip
def test_what_is_no_picture_or_a_hostile_one_is_refused(raw: bytes) -> None:
    with pytest.raises(UnusablePicture):
        rendered(raw)


def test_a_picture_is_found_by_the_path_it_is_served_at_and_nothing_else_is() -> None:
    assert picture_named(picture_path("a" * 32, 480).rpartition("/")[2]) == ("a" * 32, 480)
    for name in ("x-480.webp", "a" * 32 + "-481.webp", "a" * 32 + "-480.png", "../" + "a" * 32, ""):
        assert picture_named(name) is None


def test_an_uploaded_picture_keeps_its_id_and_another_sites_copy_of_the_path_does_not() -> None:
    path = picture_path("b" * 32, WIDTHS[1])
    assert id_of(f"https://puls.example{path}", "https://puls.example") == "b" * 32
    assert id_of(f"https://other.example{path}", "https://puls.example") != "b" * 32
