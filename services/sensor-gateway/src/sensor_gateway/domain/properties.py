"""The properties that sensors observe: unit, what is plausible, and which only tell of the device itself.

Ranges are what can happen outdoors in the Nordic countries with a margin; a value outside is kept but
flagged, since a resident must not be told of it.
"""

from typing import NamedTuple


class Property(NamedTuple):
    """UCUM unit, smallest and largest plausible value, and whether it tells of the device, not the place."""

    unit: str
    low: float
    high: float
    of_device: bool = False


PROPERTIES: dict[str, Property] = {
    "air-temperature": Property("Cel", -60, 60),
    "water-temperature": Property("Cel", -5, 45),
    "soil-temperature": Property("Cel", -40, 60),
    "surface-temperature": Property("Cel", -60, 85),
    "probe-temperature": Property("Cel", -60, 200),
    "dew-point": Property("Cel", -60, 45),
    "air-humidity": Property("%", 0, 100),
    "soil-moisture": Property("%", 0, 100),
    "soil-conductivity": Property("S/m", 0, 10),
    "air-pressure": Property("Pa", 85_000, 110_000),
    "liquid-pressure": Property("Pa", -50_000, 2_000_000),
    "water-level": Property("m", -20, 100),
    "water-flow": Property("m3/s", 0, 50_000),
    "snow-depth": Property("m", 0, 10),
    "distance": Property("m", 0, 100),
    "precipitation": Property("mm", 0, 500),
    "wind-speed": Property("m/s", 0, 75),
    "wind-gust": Property("m/s", 0, 110),
    "wind-speed-north": Property("m/s", -75, 75),
    "wind-speed-east": Property("m/s", -75, 75),
    "wind-direction": Property("deg", 0, 360),
    "illuminance": Property("lx", 0, 200_000),
    "light-level": Property("1", 0, 255),
    "sound-level": Property("dB[SPL]", 0, 140),
    "sound-level-equivalent": Property("dB[SPL]", 0, 140),
    "sound-level-day": Property("dB[SPL]", 0, 140),
    "sound-level-maximum": Property("dB[SPL]", 0, 150),
    "co2": Property("[ppm]", 0, 10_000),
    "voc-index": Property("1", 0, 500),
    "formaldehyde": Property("mg/m3", 0, 10),
    "ozone-fraction": Property("[ppm]", 0, 10),
    "pm1": Property("ug/m3", 0, 1000),
    "pm2-5": Property("ug/m3", 0, 1000),
    "pm4": Property("ug/m3", 0, 1000),
    "pm10": Property("ug/m3", 0, 2000),
    "particle-size": Property("um", 0, 100),
    "no": Property("ug/m3", 0, 2000),
    "no2": Property("ug/m3", 0, 2000),
    "nox": Property("ug/m3", 0, 4000),
    "so2": Property("ug/m3", 0, 5000),
    "o3": Property("ug/m3", 0, 1000),
    "co": Property("ug/m3", 0, 100_000),
    "air-quality-index": Property("1", 0, 500),
    "parking-occupied": Property("1", 0, 1),
    "parking-available": Property("1", 0, 100_000),
    "parking-occupancy": Property("%", 0, 100),
    "occupancy": Property("1", 0, 2),
    "motion": Property("1", 0, 100_000),
    "people-in": Property("1", 0, 1_000_000),
    "people-out": Property("1", 0, 1_000_000),
    "water-leak": Property("1", 0, 1),
    "pulses": Property("1", 0, 1e10),
    "battery-voltage": Property("V", 0, 40, True),
    "battery-level": Property("%", 0, 100, True),
    "device-temperature": Property("Cel", -60, 120, True),
    "device-tilt": Property("1", 0, 1, True),
    "tilt-x": Property("deg", -180, 180, True),
    "tilt-y": Property("deg", -180, 180, True),
    "head-angle": Property("deg", -180, 180, True),
    "valid-samples": Property("1", 0, 65_535, True),
}  # fmt: skip
"""Every property that a decoder of ours yields. SenML and configured names may add others, unchecked."""


def unit_of(name: str, default: str = "1") -> str:
    """The unit in which a property is published."""
    known = PROPERTIES.get(name)
    return known.unit if known else default
