"""Settings of this service: all are shared ones (see the chassis)."""

from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Read from the environment."""

    town_check_seconds: float = Field(
        default=5, gt=0, description="seconds between two looks at whether a town file changed"
    )
    upstream_timeout_seconds: float = Field(
        default=30, gt=0, description="seconds that an upstream may take to go on with its answer"
    )
