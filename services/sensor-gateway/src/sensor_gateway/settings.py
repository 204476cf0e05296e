"""Settings of the service, beside those that every service has."""

from kommunepuls_chassis.operators import parse_operator_tokens
from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator


class Settings(ServiceSettings):
    """Read from ``KP_…``; the secrets of sources are named in the town files."""

    operator_tokens: SecretStr = Field(
        default=SecretStr(""),
        description="who may tell when a snowfall began: bearer tokens as name:token, comma separated",
    )
    largest_body_bytes: int = Field(
        default=1_048_576, ge=1024, description="bytes of a pushed body; larger ones are refused with 413"
    )
    remember_days: float = Field(
        default=14, gt=0, description="days for which uplinks are remembered, to know them when they repeat"
    )
    town_reload_seconds: float = Field(
        default=5, gt=0, description="seconds between looks at the town files for changes"
    )
    mqtt_longest_backoff_seconds: float = Field(
        default=60, ge=1, description="longest wait in seconds before an MQTT broker is tried again"
    )
    mqtt_lease_seconds: float = Field(
        default=10,
        ge=1,
        description="seconds after which a shared session is taken over from a process that died",
    )
    snowfall_latest_ahead_hours: float = Field(
        default=1, ge=0, description="hours that a snowfall told by an operator may lie in the future"
    )

    @field_validator("operator_tokens")
    @classmethod
    def _are_named(cls, value: SecretStr) -> SecretStr:
        parse_operator_tokens(value.get_secret_value())
        return value
