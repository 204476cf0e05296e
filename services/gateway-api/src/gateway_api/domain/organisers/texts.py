"""An organiser's text as safe HTML: paragraphs, lists, emphasis and links; markup of their own shows as text."""

from functools import cache

from kommunepuls_chassis.texts import clean_html, plain_text, shortened
from markdown_it import MarkdownIt

_SUMMARY = 240


@cache
def _markdown() -> MarkdownIt:
    # Pictures have a field of their own, and headings stay below the page's.
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    return parser.enable("linkify").disable(["image", "heading", "lheading", "code", "fence", "hr"])


def body_of(text: str) -> str:
    """The text (CommonMark without headings, pictures and HTML) as cleaned HTML."""
    return clean_html(_markdown().render(text))


def summary_of(text: str) -> str:
    """The beginning of the text, plain."""
    return shortened(plain_text(body_of(text)), _SUMMARY)
