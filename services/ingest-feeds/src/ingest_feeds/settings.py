"""Settings of ingest-feeds: those of every service."""

from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Read from environment variables that start with ``KP_``."""

    upstream_timeout_seconds: float = Field(
        default=30, gt=0, le=300, description="seconds to wait for an upstream"
    )
