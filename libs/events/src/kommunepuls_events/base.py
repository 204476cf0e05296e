"""What all messages share: frozen, tolerant of fields of a newer minor version, times in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, normalised to UTC. A time without zone is refused."""

MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9A-Z]{2,8}$")]
"""Country (ISO 3166-1 alpha-2) and national code with its leading zeros: ``NO-0301``, ``SE-1761``."""

SourceId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9A-Z]{2,8}/[a-z0-9][a-z0-9._-]{0,63}$")]
"""The municipality and a slug of its own: ``NO-3907/facebook-kommune``."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""BCP 47."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Message(BaseModel):
    """Base of every message and its parts."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """The message as UTF-8 JSON, fields that are None left out."""
        return self.model_dump_json(exclude_none=True).encode()


def utc_now() -> datetime:
    """Now, with its zone."""
    return datetime.now(UTC)
