"""Makes readings and thresholds for tests of the personaliser."""

from datetime import datetime
from typing import Any

from kommunepuls_events import SensorReadingV1
from kommunepuls_matching.testing import NOW, TOWN


def reading(value: float | None, at: datetime = NOW, **fields: Any) -> SensorReadingV1:
    given = {
        "sensor": f"{TOWN}/water/storoya",
        "municipality": TOWN,
        "source": f"{TOWN}/water",
        "name": "Storøya",
        "observed_property": "water-temperature",
        "value": value,
        "unit": "Cel",
        "observed_at": at,
        "received_at": at,
    }
    return SensorReadingV1.model_validate(given | fields)


def threshold(value: float = 20.0, id: str = "t-1", **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "sensor": f"{TOWN}/water/storoya",
        "observed_property": "water-temperature",
        "value": value,
    } | fields
