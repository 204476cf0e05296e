"""Items as RSS 2.0 (https://www.rssboard.org/rss-specification) with Atom's self link and GeoRSS points."""

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree

from kommunepuls_chassis.texts import html_of_plain_text
from kommunepuls_events import ContentItemV1

from gateway_api.domain.items import anchor
from gateway_api.domain.open_data.addresses import item_url

MEDIA_TYPE = "application/rss+xml"

_ATOM = "http://www.w3.org/2005/Atom"
_GEORSS = "http://www.georss.org/georss"
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 does not allow, not even escaped."""

ElementTree.register_namespace("atom", _ATOM)
ElementTree.register_namespace("georss", _GEORSS)


def feed(
    items: Sequence[ContentItemV1],
    *,
    title: str,
    description: str,
    language: str,
    self_url: str,
    public_url: str,
    built_at: datetime,
) -> bytes:
    """The items as a channel, in the order given."""
    root = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(root, "channel")
    _text(channel, "title", title)
    _text(channel, "link", public_url)
    _text(channel, "description", description)
    _text(channel, "language", language)
    _text(channel, "lastBuildDate", format_datetime(built_at))
    ElementTree.SubElement(channel, f"{{{_ATOM}}}link", {"href": self_url, "rel": "self", "type": MEDIA_TYPE})
    for item in items:
        _item(channel, item, public_url)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _item(channel: ElementTree.Element, item: ContentItemV1, public_url: str) -> None:
    entry = ElementTree.SubElement(channel, "item")
    _text(entry, "title", item.title)
    _text(entry, "link", item_url(public_url, item.id))
    # The description is HTML, so plain text is escaped once for HTML and once for XML.
    _text(entry, "description", html_of_plain_text(item.summary or item.title))
    guid = _text(entry, "guid", f"{item.id}#{item.revision}")
    guid.set("isPermaLink", "false")
    _text(entry, "pubDate", format_datetime(item.published_at))
    for category in (str(item.kind), *item.interests):
        _text(entry, "category", category)
    if item.organiser:
        source = _text(entry, f"{{{_ATOM}}}author", "")
        _text(source, f"{{{_ATOM}}}name", item.organiser.name)
    if (point := anchor(item.geometry)) is not None:
        _text(entry, f"{{{_GEORSS}}}point", f"{point[1]:.6f} {point[0]:.6f}")


def _text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = _ILLEGAL.sub("", text)
    return element
