"""What the town file says of each source of this service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from kommunepuls_chassis.town import SourceConfig
from kommunepuls_events.base import Instant, Slug
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sensor_gateway.domain.measurements import Device
from sensor_gateway.domain.ploughs.grid import grid
from sensor_gateway.domain.ploughs.roads import MatchRules
from sensor_gateway.domain.ploughs.sightings import Gaps, Work


def _wgs84(value: tuple[float, float]) -> tuple[float, float]:
    if not -180 <= value[0] <= 180 or not -90 <= value[1] <= 90:
        raise ValueError("a position is [longitude, latitude] in degrees")
    return value


def _projected(value: int) -> int:
    grid(value)
    return value


Position = Annotated[tuple[float, float], AfterValidator(_wgs84)]


class DeviceConfig(BaseModel):
    """One device. Its id is what the network server calls it: device id or DevEUI, in either case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=200)]
    type: str | None = Field(default=None, description="decoder: elsys-ers2, decentlab-dl-tp…")
    name: str | None = Field(default=None, description="for residents")
    position: Position | None = Field(default=None, description="longitude and latitude, WGS84")
    areas: tuple[str, ...] = Field(default=(), description="worked out from the position if not given")
    properties: dict[str, Slug] = Field(
        default_factory=dict, description="other names for what the decoder yields"
    )
    leave_out: tuple[str, ...] = Field(default=(), description="what the decoder yields and nobody needs")
    parameters: dict[str, float] = Field(default_factory=dict, description="of the decoder")
    zero_means_no_probe: tuple[str, ...] = Field(
        default=(), description="properties whose exact 0 means that no probe is connected"
    )

    def device(self) -> Device:
        """As the domain takes it."""
        return Device(
            id=self.id,
            type=self.type,
            name=self.name,
            position=self.position,
            areas=self.areas,
            properties=self.properties,
            leave_out=self.leave_out,
            parameters=self.parameters,
            zero_means_no_probe=self.zero_means_no_probe,
        )


class GatewaySource(SourceConfig):
    """Common to all sources here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pushed(GatewaySource):
    """A source that posts to ``/webhooks/{municipality}/{source}``."""

    secret_env: str = Field(description="environment variable with the secret that requests must carry")
    secret_header: str = Field(
        default="X-Webhook-Secret",
        description="header with the secret; Authorization: Bearer is taken as well",
    )


class SensorSource(GatewaySource):
    """A source of readings."""

    devices: tuple[DeviceConfig, ...] = ()
    devices_file: Path | None = Field(
        default=None, description="YAML list or CSV of devices, beside the town file"
    )
    stale_after_minutes: float = Field(
        default=180, gt=0, description="minutes after which a value counts as old"
    )


class LorawanWebhook(SensorSource, Pushed):
    """``lorawan-webhook``: a network server posts uplinks."""

    network: Literal["tts", "chirpstack", "loriot", "thingpark"]


class LorawanMqtt(SensorSource):
    """``lorawan-mqtt``: a network server's MQTT integration, subscribed to with QoS 1."""

    network: Literal["tts", "chirpstack"]
    host: str
    port: int = Field(default=1883, ge=1, le=65535)
    tls: bool = False
    username: str | None = None
    password_env: str | None = Field(default=None, description="environment variable with the password")
    application: str = Field(
        default="+", description="application id; for The Things Stack with @tenant: soel@ttn"
    )
    client_id: str | None = Field(
        default=None, description="names the session at the broker; default from the source's id"
    )
    mqtt_version: Literal["5", "3.1.1"] = Field(
        default="5", description="spoken first; a broker that does not know 5 is asked again in 3.1.1"
    )
    shared_by: Slug | None = Field(
        default=None,
        description="name of a shared subscription: processes with the same one share the uplinks",
    )
    shared_sessions: int = Field(
        default=4, ge=1, le=64, description="sessions of the shared subscription; no more processes get work"
    )

    @property
    def topic(self) -> str:
        """Where its uplinks are."""
        if self.network == "tts":
            return f"v3/{self.application}/devices/+/up"
        return f"application/{self.application}/device/+/event/up"

    @property
    def filter(self) -> str:
        """What is subscribed to: the topic, or a share of it (MQTT 5 section 4.8.2)."""
        return f"$share/{self.shared_by}/{self.topic}" if self.shared_by else self.topic


class SelfDescribing(SensorSource, Pushed):
    """``senml-webhook`` and ``ngsi-webhook``: messages that name property and unit themselves."""

    unlisted_devices: bool = Field(default=True, description="take devices that the file does not list")
    naive_times_in: str | None = Field(
        default=None, description="time zone of times without one, if the sender is known to write so"
    )


class Datastream(DeviceConfig):
    """One datastream of a SensorThings server; ``id`` is its @iot.id."""

    observed_property: Slug
    unit: str = Field(description="UCUM, after the factor")
    factor: float = 1


class SensorThingsPoll(GatewaySource):
    """``sensorthings-poll``: observations of an OGC SensorThings server."""

    url: str = Field(description="root of the service: https://example.org/FROST-Server/v1.1")
    datastreams: tuple[Datastream, ...] = Field(min_length=1)
    stale_after_minutes: float = Field(default=180, gt=0)


class PloughSource(GatewaySource):
    """Common to the sources of plough positions."""

    share: float = Field(
        default=0.9, gt=0, le=1, description="share of an area's road length from which it counts"
    )
    announce: tuple[Work, ...] = (Work.PLOUGHING,)
    snowfall_started_at: Instant | None = Field(
        default=None, description="a later POST /snowfalls/{municipality} wins"
    )
    match_metres: float = Field(default=15, gt=0, le=100)
    match_degrees: float = Field(default=30, gt=0, le=90)
    gap_seconds: float = Field(default=300, gt=0)
    gap_metres: float = Field(default=1000, gt=0)
    stale_after_minutes: float = Field(default=60, gt=0, description="older positions of a poll are left out")

    @property
    def rules(self) -> MatchRules:
        """How lines are matched."""
        return MatchRules(self.match_metres, self.match_degrees)

    @property
    def gaps(self) -> Gaps:
        """What splits a track."""
        return Gaps(timedelta(seconds=self.gap_seconds), self.gap_metres)


class HarjaWebhook(PloughSource, Pushed):
    """``harja-webhook``: a contractor's system posts HARJA reports."""

    epsg: Annotated[int, AfterValidator(_projected)] = Field(
        default=3067, description="grid of the coordinates: 3067 in Finland, 25832 in the south of Norway"
    )


class ArcgisPloughs(PloughSource):
    """``arcgis-ploughs``: layers of an ArcGIS feature service, polled."""

    unit_layers: tuple[str, ...] = Field(default=(), description="query addresses of layers of vehicles")
    street_layers: tuple[str, ...] = Field(default=(), description="query addresses of layers of streets")
    done_statuses: tuple[str, ...] = Field(default=("3",), description="of a street that is done")
    clock_offset_hours: float = Field(
        default=0, ge=-24, le=24, description="hours to add to the layer's times to make them UTC"
    )

    @property
    def clock_offset(self) -> timedelta:
        """What to add to the layer's times."""
        return timedelta(hours=self.clock_offset_hours)


class AvlPloughs(PloughSource):
    """``avl-ploughs``: a tracker's list of all vehicles, polled."""

    url: str
    works: dict[str, tuple[Work, ...]] = Field(
        description="what vehicles of each assetType do; others are left out"
    )


MODELS: dict[str, type[SourceConfig]] = {
    "lorawan-webhook": LorawanWebhook,
    "lorawan-mqtt": LorawanMqtt,
    "senml-webhook": SelfDescribing,
    "ngsi-webhook": SelfDescribing,
    "sensorthings-poll": SensorThingsPoll,
    "harja-webhook": HarjaWebhook,
    "arcgis-ploughs": ArcgisPloughs,
    "avl-ploughs": AvlPloughs,
}
"""The source types of this service."""
