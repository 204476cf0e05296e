"""Title, summary and body of a text that has no title."""

import re
import unicodedata

from kommunepuls_chassis.texts import headline, html_of_plain_text, plain_text, shortened

LONGEST_TEXT = 60_000
LONGEST_BODY = 100_000
_LONGEST_DECORATION = 20
_TAG = re.compile(
    r"</?(?:script|style|iframe|a|b|i|p|br|div|span|img|h[1-6]|ul|li|svg|object|form)\b[^>]*>", re.I
)
_URL = re.compile(r"\s*\bhttps?://\S+")
_HASHTAGS = re.compile(r"(?:[#@][\w.]+\s*)+")
_DECORATION = re.compile(r"^[^\w¿¡\"'«“(#@]+")


def readable(text: str) -> str:
    """Plain text as a person or a screen reader reads it.

    Letters from the mathematical alphabets (bold or italic by trick) become ordinary ones, HTML that
    somebody pasted in loses its tags and scripts, and invisible characters go.
    """
    ordinary = "".join(
        unicodedata.normalize("NFKC", sign) if "\U0001d400" <= sign <= "\U0001d7ff" else sign
        for sign in text[:LONGEST_TEXT]
    )
    return plain_text(ordinary, is_html=_TAG.search(ordinary) is not None)


def title_of(text: str) -> str:
    """A headline: the first sentence or line that says something, without leading decoration.

    Args:
        text: readable text; a line of nothing but signs or hashtags is passed over.
    """
    lines = [line for whole in text.splitlines() if _says_something(line := _URL.sub("", whole).strip())]
    if not lines:
        return shortened(text, 120)
    return headline(_DECORATION.sub("", lines[0]) or lines[0])


def summary_of(text: str, title: str) -> str:
    """The text's beginning, without what the title says already; empty if that is all."""
    flat = " ".join(text.split())
    at = flat.find(title)
    if 0 <= at <= _LONGEST_DECORATION and not any(sign.isalnum() for sign in flat[:at]):
        flat = flat[at + len(title) :].lstrip(" .:–-")
    return shortened(flat, 300) if any(sign.isalnum() for sign in flat) else ""


def body_of(text: str) -> str:
    """The text as harmless HTML, cut if it is longer than an item may be."""
    body = html_of_plain_text(text)
    while len(body) > LONGEST_BODY:
        text = text[: len(text) // 2].rstrip() + "…"
        body = html_of_plain_text(text)
    return body


def _says_something(line: str) -> bool:
    rest = _HASHTAGS.sub("", line)
    return sum(sign.isalpha() for sign in rest) >= 3
