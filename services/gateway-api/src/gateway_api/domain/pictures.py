"""Pictures of strangers, decoded and drawn anew: what is kept is ours, whatever came in.

Only the pixels survive: no metadata (a photo tells where it was taken), no second format hidden in the file,
no animation. Source of the limits: https://pillow.readthedocs.io/en/stable/reference/limits.html
"""

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from urllib.parse import urlsplit

from PIL import Image, ImageOps

WIDTHS = (480, 1200)
"""Widths in pixels that a picture is kept in; a narrower one stays as narrow as it is."""
MOST_BYTES = 12_000_000
MOST_AN_ITEM = 4

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MOST_PIXELS = 50_000_000
_MOST_DECODED = 25_000_000
_TALLEST = 3
"""How many times as high as wide a picture may be shown; what is higher is cut at the bottom."""
_QUALITY = 80
_NAME = re.compile(r"([0-9a-f]{32})-(\d{3,4})\.webp")


class UnusablePicture(Exception):
    """The bytes are no picture that can be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture as it is kept: WebP by width, and the size of the widest in pixels."""

    files: dict[int, bytes]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture that a page can show from its own address; size in pixels of the widest form."""

    id: str
    width: int
    height: int
    alternative_text: str = ""

    @property
    def small(self) -> str:
        """Path of the narrow form."""
        return picture_path(self.id, WIDTHS[0])

    @property
    def large(self) -> str:
        """Path of the wide form."""
        return picture_path(self.id, WIDTHS[1])


def rendered(raw: bytes) -> Rendered:
    """Decode and draw a picture anew. Takes up to a second: call it in a thread.

    Raises:
        UnusablePicture: if it is none, is hostile, or is too large.
    """
    if len(raw) > MOST_BYTES:
        raise UnusablePicture(f"it has more than {MOST_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            # A picture near the limit is judged by our own limits below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _rendered(raw)
    except UnusablePicture:
        raise
    except Exception as error:
        # Decoders fail in their own ways on broken files; none of them is ours to mend.
        raise UnusablePicture(f"it cannot be decoded: {type(error).__name__}") from None


def _rendered(raw: bytes) -> Rendered:
    image: Image.Image = Image.open(io.BytesIO(raw), formats=_FORMATS)
    if image.width * image.height > _MOST_PIXELS:
        raise UnusablePicture(f"it has more than {_MOST_PIXELS} pixels")
    # A JPEG is decoded at a fraction of its size at once, so that a photo of a phone needs little memory.
    image.draft("RGB", (WIDTHS[-1], WIDTHS[-1]))
    if image.width * image.height > _MOST_DECODED:
        raise UnusablePicture(f"it has more than {_MOST_DECODED} pixels")
    image.load()
    image = ImageOps.exif_transpose(image)
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.width < 16 or image.height < 16:
        raise UnusablePicture("it is smaller than 16 pixels, as pictures that count readers are")
    if image.height > image.width * _TALLEST:
        image = image.crop((0, 0, image.width, image.width * _TALLEST))
    files = {}
    for width in sorted(WIDTHS, reverse=True):
        if image.width > width:
            height = max(round(image.height * width / image.width), 1)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        if not files:
            size = image.size
        # A fresh image: what the decoder noted beside the pixels (EXIF, profiles, comments) stays behind.
        drawn = Image.new(image.mode, image.size)
        drawn.paste(image)
        out = io.BytesIO()
        drawn.save(out, "WEBP", quality=_QUALITY, method=4)
        files[width] = out.getvalue()
    return Rendered(files, *size)


def id_of_address(url: str) -> str:
    """The id under which the picture of an address is kept."""
    return hashlib.sha256(b"address " + url.encode()).hexdigest()[:32]


def id_of_content(raw: bytes) -> str:
    """The id under which an uploaded picture is kept."""
    return hashlib.sha256(b"content " + raw).hexdigest()[:32]


def picture_path(picture: str, width: int) -> str:
    """Path of a picture in one of WIDTHS."""
    return f"/pictures/{picture}-{width}.webp"


def picture_named(name: str) -> tuple[str, int] | None:
    """Id and width from the last part of a path; None for what is none of ours."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2])) if match and int(match[2]) in WIDTHS else None


def id_of(url: str, public_url: str) -> str:
    """The id of an item's picture: what was uploaded here is known by its path, all else by its address."""
    own = own_picture(url, public_url)
    return own or id_of_address(url)


def own_picture(url: str, public_url: str) -> str | None:
    """The id of a picture that lies at our own address; None for another."""
    parts, own = urlsplit(url), urlsplit(public_url)
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        return None
    named = picture_named(parts.path.removeprefix("/pictures/")) if "/pictures/" in parts.path else None
    return named[0] if named else None
