"""Common Alerting Protocol 1.0 to 1.2, as XML or as JSON of the same fields.

Source: OASIS CAP 1.2 (http://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2.html) section 3.2.
An XML signature is not verified: whether a sender is to be believed is said by the address it is fetched from.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.texts import html_of_plain_text, plain_text, shortened
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1, Kind, Severity, Translation
from kommunepuls_events.geometry import MultiPolygon, Polygon
from pydantic import ValidationError

from ingest_feeds.domain.drafts import areas_of, draft, interests_of, links_of
from ingest_feeds.domain.sources import WarningSource

_CIRCLE_POINTS = 48
_METRES_A_DEGREE = 111_195.0
_STATUSES = {"actual", "exercise", "system", "test", "draft"}
_TYPES = {"alert", "update", "cancel", "ack", "error"}


@dataclass(frozen=True, slots=True)
class Area:
    """One ``<area>``: rings of [longitude, latitude], circles as rings, geocode values."""

    description: str
    rings: tuple[tuple[tuple[float, float], ...], ...]
    geocodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """One ``<info>``: the alert in one language."""

    language: str
    event: str
    headline: str
    description: str
    instruction: str
    web: str
    severity: Severity
    begins: datetime | None
    expires: datetime | None
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """One ``<alert>``; ``references`` are the identifiers of earlier alerts that it updates or cancels."""

    identifier: str
    sent: datetime
    status: str
    type: str
    references: tuple[str, ...]
    note: str
    infos: tuple[Info, ...]

    @property
    def exercise(self) -> bool:
        """Whether it is anything but a real warning."""
        return self.status != "actual"


def alerts_of_xml(body: bytes) -> list[Alert]:
    """The alert in an XML document.

    Raises:
        RejectedInput: ``not-cap`` if it is none, ``invalid-cap`` for wrong values,
            ``not-public`` for an alert that is not for everybody.
    """
    return [_alert(_XmlNode(_root(body)))]


def alerts_of_json(values: list[Any]) -> list[Alert]:
    """The alerts in the ``alerts`` of Sweden's public warnings: CAP's fields as JSON; raises as above."""
    return [_alert(_JsonNode(value)) for value in values]


def is_alert_document(body: bytes) -> bool:
    """Whether this is CAP itself, rather than a list that points to it."""
    try:
        return _local(_root(body)) == "alert"
    except RejectedInput:
        return False


def item_of(alert: Alert, town: Town, source: WarningSource, *, root: str, now: datetime) -> ContentItemV1:
    """The draft of an alert or update; ``root`` is the identifier of the first alert of its chain."""
    if not alert.infos:
        raise RejectedInput("no-text", "the alert has no info")
    language = source.language or town.language
    shown = next((info for info in alert.infos if _same_language(info.language, language)), alert.infos[0])
    title = (
        plain_text(shown.headline) or plain_text(shown.event) or shortened(plain_text(shown.description), 120)
    )
    if not title:
        raise RejectedInput("no-text", "the alert has neither headline, event nor description")
    areas = [area for info in alert.infos for area in info.areas]
    coded = dict.fromkeys(
        target for area in areas for code in area.geocodes for target in source.geocodes.get(code, ())
    )
    geometry = _geometry(areas)
    described = "\n\n".join(
        part for part in (plain_text(shown.description), plain_text(shown.instruction)) if part
    )
    return draft(
        town,
        source,
        native_id=root,
        kind=Kind.ALERT,
        now=now,
        title=shortened(title, 300),
        summary=shortened(described, 600),
        body=html_of_plain_text(described)[:100_000],
        interests=interests_of(source, [shown.event], {}),
        areas=tuple(coded) or (() if geometry else areas_of(source, f"{title}\n{described}")),
        geometry=geometry,
        place_name=shortened(
            ", ".join(dict.fromkeys(area.description for area in shown.areas if area.description)), 200
        )
        or None,
        severity=max((info.severity for info in alert.infos), key=lambda severity: severity.rank),
        language=_tag(shown.language) or language,
        translations={
            tag: Translation(
                title=shortened(plain_text(info.headline) or plain_text(info.event) or title, 300),
                summary=shortened(plain_text(info.description), 600),
            )
            for info in alert.infos
            if info is not shown and (tag := _tag(info.language)) and tag != _tag(shown.language)
        },
        links=links_of((shown.web, None)),
        published_at=alert.sent,
        valid_from=min((info.begins for info in alert.infos if info.begins), default=None),
        valid_until=max((info.expires for info in alert.infos if info.expires), default=None),
        exercise=alert.exercise,
    )


def _tag(language: str) -> str | None:
    """A CAP language (RFC 3066) as one of ours: Norwegian of whatever kind is ``nb``, unless it says ``nn``."""
    primary = language.strip().lower().split("-")[0]
    if primary in ("no", "nb"):
        return "nb"
    return primary if 2 <= len(primary) <= 3 and primary.isalpha() else None


def _same_language(one: str, other: str) -> bool:
    return _tag(one) == _tag(other)


def _geometry(areas: list[Area]) -> Polygon | MultiPolygon | None:
    rings = list(dict.fromkeys(ring for area in areas for ring in area.rings))
    try:
        if len(rings) == 1:
            return Polygon(coordinates=(rings[0],))
        return MultiPolygon(coordinates=tuple((ring,) for ring in rings)) if rings else None
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise RejectedInput("bad-polygon", detail.removeprefix("Value error, ")) from None


class _XmlNode:
    """Access to an element by local names, since the namespace differs by version and is missing in many."""

    def __init__(self, element: Element) -> None:
        self._element = element

    def text(self, name: str) -> str:
        found = next((child for child in self._element if _local(child) == name), None)
        return (found.text or "").strip() if found is not None else ""

    def texts(self, name: str) -> list[str]:
        return [(child.text or "").strip() for child in self._element if _local(child) == name]

    def nodes(self, name: str) -> list["_XmlNode"]:
        return [_XmlNode(child) for child in self._element if _local(child) == name]


class _JsonNode:
    """The same access to a JSON object whose fields are named as in XML."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise RejectedInput("invalid-cap", "an alert, info or area is not an object")
        self._value = value

    def text(self, name: str) -> str:
        value = self._value.get(name)
        return str(value).strip() if isinstance(value, (str, int, float)) else ""

    def texts(self, name: str) -> list[str]:
        value = self._value.get(name)
        return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]

    def nodes(self, name: str) -> list["_JsonNode"]:
        value = self._value.get(name)
        return [_JsonNode(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


_Node = _XmlNode | _JsonNode


def _root(body: bytes) -> Element:
    try:
        return fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise RejectedInput("not-cap", f"not well-formed XML: {str(error)[:200]}") from None


def _local(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _alert(node: _Node) -> Alert:
    if isinstance(node, _XmlNode) and _local(node._element) != "alert":
        raise RejectedInput("not-cap", f"the document is <{_local(node._element)}>, not <alert>")
    identifier = node.text("identifier")
    if not identifier:
        raise RejectedInput("no-id", "the alert has no identifier")
    if node.text("scope").lower() not in ("public", ""):
        raise RejectedInput("not-public", f"the scope is {node.text('scope')}")
    status, kind = node.text("status").lower(), node.text("msgType").lower()
    if status not in _STATUSES or kind not in _TYPES:
        raise RejectedInput("invalid-cap", f"status {status or 'missing'}, msgType {kind or 'missing'}")
    return Alert(
        identifier=identifier,
        sent=_time(node.text("sent"), "sent") or _missing("sent"),
        status=status,
        type=kind,
        references=tuple(
            part.split(",")[1] for part in node.text("references").split() if part.count(",") >= 2
        ),
        note=node.text("note"),
        infos=tuple(_info(info) for info in node.nodes("info")),
    )


def _missing(name: str) -> Any:
    raise RejectedInput("invalid-cap", f"{name} is missing")


def _info(node: _Node) -> Info:
    try:
        severity = Severity(node.text("severity").lower() or "unknown")
    except ValueError:
        raise RejectedInput("invalid-cap", f"severity is {node.text('severity')!r:.40}") from None
    return Info(
        language=node.text("language") or "en-US",  # CAP 1.2 section 3.2.2: the default
        event=node.text("event"),
        headline=node.text("headline"),
        description=node.text("description"),
        instruction=node.text("instruction"),
        web=node.text("web"),
        severity=severity,
        begins=_time(node.text("onset"), "onset") or _time(node.text("effective"), "effective"),
        expires=_time(node.text("expires"), "expires"),
        areas=tuple(_area(area) for area in node.nodes("area")),
    )


def _time(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RejectedInput("invalid-cap", f"{name} is {text!r:.40}, not a time") from None
    if moment.tzinfo is None:
        raise RejectedInput("invalid-cap", f"{name} is {text!r:.40}, without time zone")
    return moment


def _area(node: _Node) -> Area:
    rings = [_ring(text) for text in node.texts("polygon") if text.strip()]
    rings += [_circle(text) for text in node.texts("circle") if text.strip()]
    codes = tuple(code.text("value") for code in node.nodes("geocode") if code.text("value"))
    return Area(node.text("areaDesc"), tuple(ring for ring in rings if ring), codes)


def _ring(text: str) -> tuple[tuple[float, float], ...]:
    """``lat,lon lat,lon …`` (CAP 1.2 section 3.2.4) as [longitude, latitude], closed."""
    try:
        pairs = [tuple(float(part) for part in pair.split(",")) for pair in text.split()]
        ring = [(longitude, latitude) for latitude, longitude in pairs]
    except ValueError:
        raise RejectedInput("bad-polygon", f"not lat,lon pairs: {text[:60]!r}") from None
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    return tuple(ring)


def _circle(text: str) -> tuple[tuple[float, float], ...]:
    """``lat,lon radius`` with the radius in kilometres; radius 0 says "here" and becomes 50 m."""
    try:
        centre, radius = text.split()
        latitude, longitude = (float(part) for part in centre.split(","))
        metres = float(radius) * 1000
    except ValueError:
        raise RejectedInput("bad-polygon", f"not a circle: {text[:60]!r}") from None
    if not -89 < latitude < 89 or not math.isfinite(metres) or metres < 0:
        raise RejectedInput("bad-polygon", f"not a circle on the ground: {text[:60]!r}")
    metres = max(metres, 50.0)
    step = 2 * math.pi / _CIRCLE_POINTS
    east = _METRES_A_DEGREE * math.cos(math.radians(latitude))
    ring = [
        (
            longitude + metres * math.cos(step * n) / east,
            latitude + metres * math.sin(step * n) / _METRES_A_DEGREE,
        )
        for n in range(_CIRCLE_POINTS)
    ]
    return (*ring, ring[0])
