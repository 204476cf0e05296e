"""What things are called for one reader."""

from collections.abc import Iterable, Mapping

from kommunepuls_events import ContentItemV1, SubscriberProfileV1

from gateway_api.domain.readings import SensorNow
from gateway_api.domain.words import Words
from gateway_api.service.gateway import Gateway


class ReaderNames:
    """Names for a reader: areas and interests of the town, their own places, organisers and sensors seen."""

    def __init__(
        self,
        gateway: Gateway,
        words: Words,
        *,
        municipality: str,
        profile: SubscriberProfileV1 | None = None,
        items: Iterable[ContentItemV1] = (),
        sensors: Mapping[str, SensorNow] | None = None,
        organisers: Mapping[str, str] | None = None,
    ) -> None:
        self._town = gateway.towns.get(municipality) or gateway.towns.first
        self._words = words
        self._places = {place.id: place.label for place in profile.places} if profile else {}
        self._organisers = {one.id: one.name for one in self._town.organisers}
        self._organisers |= {item.organiser.id: item.organiser.name for item in items if item.organiser}
        self._organisers |= organisers or {}
        self._sensors = sensors or {}

    @property
    def language(self) -> str:
        """The reader's language."""
        return self._words.language

    def area(self, area: str) -> str:
        """Name of an area."""
        return self._town.area_name(area, self._words.language)

    def interest(self, slug: str) -> str:
        """Name of an interest."""
        return self._town.interest_name(slug, self._words.language)

    def organiser(self, organiser: str) -> str:
        """Name of an organiser."""
        return self._organisers.get(organiser) or organiser.rpartition("/")[2].replace("-", " ")

    def source(self, source: str) -> str:
        """Name of a source: sources have none but the last part of their id."""
        return source.rpartition("/")[2].replace("-", " ")

    def place(self, place: str) -> str:
        """What the resident calls a place."""
        return self._places.get(place) or self._words.say("your place")

    def sensor(self, sensor: str) -> str:
        """Name of a sensor."""
        known = self._sensors.get(sensor)
        return known.name if known else sensor.rpartition("/")[2]

    def unit(self, sensor: str | None) -> str:
        """Unit of a sensor's values, a UCUM code; empty if unknown."""
        known = self._sensors.get(sensor or "")
        return known.unit if known else ""
