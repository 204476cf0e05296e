"""Warnings in the dialects that upstreams speak: CAP as XML, CAP as JSON, MetAlerts."""

import json

from kommunepuls_chassis.errors import RejectedInput

from ingest_feeds.domain.cap import Alert, alerts_of_json, alerts_of_xml, is_alert_document
from ingest_feeds.domain.met_alerts import is_met_alerts, met_alerts


def is_alert(body: bytes) -> bool:
    """Whether a body holds warnings themselves, rather than a list that points to them."""
    return _is_json(body) or is_alert_document(body)


def parse_alerts(body: bytes) -> list[Alert]:
    """The alerts of a body.

    Raises:
        RejectedInput: ``not-cap`` if it is none of the dialects, ``invalid-cap`` for wrong values, ``no-id``,
            ``bad-polygon``, ``not-public`` for an alert that is not for everybody.
    """
    if not _is_json(body):
        return alerts_of_xml(body)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RejectedInput("not-cap", f"not well-formed JSON: {str(error)[:200]}") from None
    if is_met_alerts(content):
        return met_alerts(content)
    if isinstance(content, dict) and isinstance(content.get("alerts"), list):
        return alerts_of_json(content["alerts"])
    raise RejectedInput("not-cap", "the JSON has neither alerts nor features")


def _is_json(body: bytes) -> bool:
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
