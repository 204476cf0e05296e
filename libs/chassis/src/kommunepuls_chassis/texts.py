"""Texts of strangers: to plain text, or to HTML that can do no harm."""

import html
import re

import nh3

_TAGS = {
    "p",
    "br",
    "ul",
    "ol",
    "li",
    "a",
    "b",
    "strong",
    "i",
    "em",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "table",
    "tr",
    "th",
    "td",
}
_BLOCK_END = re.compile(r"(?i)<\s*(?:br\s*/?|/p|/li|/h[1-6]|/tr|/div|/blockquote)\s*>")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\s*\n\s*\n\s*")
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean_html(text: str) -> str:
    """HTML with a small set of harmless tags; scripts, styles, handlers and odd schemes are gone."""
    return nh3.clean(
        _INVISIBLE.sub("", text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        clean_content_tags={"script", "style", "iframe", "object", "noscript", "template", "svg", "math"},
    ).strip()


def plain_text(text: str, *, is_html: bool = True) -> str:
    """Readable plain text: tags gone, entities resolved, one blank line between paragraphs.

    Invisible and direction-changing characters are dropped; they serve to deceive.
    """
    if is_html:
        text = _BLOCK_END.sub("\n", text)
        text = html.unescape(
            nh3.clean(
                text, tags=set(), clean_content_tags={"script", "style", "iframe", "noscript", "template"}
            )
        )
    text = _INVISIBLE.sub("", text)
    text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", text).strip()


def html_of_plain_text(text: str) -> str:
    """Paragraphs and line breaks of plain text as HTML, everything else escaped."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def shortened(text: str, most: int) -> str:
    """The text, cut at a word with an ellipsis if it is longer than ``most`` characters."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1].rsplit(" ", 1)[0] if " " in text[: most - 1] else text[: most - 1]
    return cut.rstrip(" ,;:.-–") + "…"


def headline(text: str, most: int = 120) -> str:
    """A title for a text that has none: its first sentence or line, shortened."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    # A full stop behind a lower-case abbreviation (nr. 4, kl. 12, f.eks. …) ends no sentence.
    sentence = re.split(
        r"(?<=[.!?])(?<!\b(?:nr|kl|ca|jf)\.)(?<!\.\w\.)\s+(?=[A-ZÆØÅÄÖ])|(?<=[!?])\s+", first, maxsplit=1
    )[0]
    return shortened(sentence if len(sentence) >= 8 else first, most)
