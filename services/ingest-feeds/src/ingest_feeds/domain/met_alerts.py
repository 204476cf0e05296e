"""Norway's MetAlerts 2.0: warnings as GeoJSON features whose properties are CAP's.

Source: https://api.met.no/weatherapi/metalerts/2.0/documentation
"""

from datetime import datetime
from typing import Any

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_events import Severity

from ingest_feeds.domain.cap import Alert, Area, Info


def is_met_alerts(content: Any) -> bool:
    """Whether parsed JSON is a feature collection of warnings."""
    return isinstance(content, dict) and isinstance(content.get("features"), list)


def met_alerts(content: dict) -> list[Alert]:
    """The alerts of an answer.

    Raises:
        RejectedInput: ``invalid-cap`` or ``no-id`` for a feature that is not a warning.
    """
    return [_alert(feature, str(content.get("lang", "no"))) for feature in content["features"]]


def _alert(feature: Any, language: str) -> Alert:
    try:
        properties, when = feature["properties"], feature["when"]["interval"]
        begins, expires = (datetime.fromisoformat(moment) for moment in when[:2])
        severity = Severity(str(properties.get("severity", "unknown")).lower())
    except (KeyError, TypeError, ValueError) as error:
        raise RejectedInput(
            "invalid-cap", f"not a MetAlerts feature: {type(error).__name__} {error}"
        ) from None
    if not properties.get("id"):
        raise RejectedInput("no-id", "the warning has no id")
    info = Info(
        language=language,
        event=str(properties.get("eventAwarenessName") or properties.get("event") or ""),
        headline=str(properties.get("title") or properties.get("eventAwarenessName") or ""),
        description="\n\n".join(
            str(properties[name]) for name in ("description", "consequences") if properties.get(name)
        ),
        instruction=str(properties.get("instruction") or ""),
        web=str(properties.get("web") or ""),
        severity=severity,
        begins=begins,
        expires=expires,
        areas=(Area(str(properties.get("area") or ""), _rings(feature.get("geometry")), ()),),
    )
    return Alert(
        identifier=str(properties["id"]),
        sent=begins,
        status=str(properties.get("status", "Actual")).lower(),
        type=str(properties.get("type", "Alert")).lower(),
        references=(),
        note="",
        infos=(info,),
    )


def _rings(geometry: Any) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The outer rings of a polygon or multi-polygon; none of an empty one."""
    if not isinstance(geometry, dict):
        return ()
    coordinates = geometry.get("coordinates") or []
    polygons = coordinates if geometry.get("type") == "MultiPolygon" else [coordinates]
    try:
        return tuple(
            tuple((float(position[0]), float(position[1])) for position in polygon[0])
            for polygon in polygons
            if polygon
        )
    except (TypeError, ValueError, IndexError):
        raise RejectedInput("bad-polygon", "the geometry is not a GeoJSON polygon") from None
