"""Settings of the personaliser."""

from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field


class PersonaliserSettings(ServiceSettings):
    """The chassis' settings and the personaliser's own."""

    offers_per_batch: int = Field(
        default=500, ge=1, le=5000, description="most records that are taken from a stream at once"
    )
    batch_within_seconds: float = Field(
        default=0.02, gt=0, le=5, description="seconds a batch is gathered before it is worked on"
    )
    commit_interval_seconds: float = Field(
        default=0.5, gt=0, le=60, description="seconds between commits of what is done"
    )
    threshold_history_hours: float = Field(
        default=336,
        gt=0,
        description="hours of sensor readings from which thresholds are rebuilt; a sensor that was silent "
        "for longer counts as new",
    )
    towns_reload_seconds: float = Field(
        default=5, gt=0, description="seconds between looks at the town files and their areas"
    )
