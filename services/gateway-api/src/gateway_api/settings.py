"""Settings of the gateway, read from variables that start with ``KP_``."""

from datetime import time
from urllib.parse import urlsplit

from kommunepuls_chassis.operators import parse_operator_tokens
from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator


class Settings(ServiceSettings):
    """What the gateway needs beside what every service has."""

    public_url: str = Field(
        description="address under which residents reach the gateway, without a slash at the end"
    )
    link_key: SecretStr = Field(
        description="signs unsubscribe links; shared with the notifier, newest first, comma separated"
    )
    pepper: SecretStr = Field(
        description="key of the hashes by which addresses are found again; changing it loses everybody"
    )
    contact_public_key: str = Field(
        description="the notifier's X25519 public key, base64url: contact details are sealed for it"
    )
    vapid_public_key: str = Field(
        description="the notifier's VAPID public key (RFC 8292), base64url: browsers subscribe with it"
    )
    operator_tokens: SecretStr = Field(
        description="bearer tokens of operators as name:token, comma separated; the name goes to the log"
    )
    session_days: int = Field(default=30, ge=1, le=400, description="days a resident stays signed in")
    sign_in_minutes: int = Field(
        default=30, ge=1, le=1440, description="minutes in which a mailed link can be used"
    )
    mails_per_address: int = Field(default=3, ge=1, description="sign-in mails to one address in 15 minutes")
    mails_per_client: int = Field(
        default=20, ge=1, description="sign-in mails asked for by one client in an hour"
    )
    staff_session_hours: int = Field(default=10, ge=1, le=72, description="hours that staff stay signed in")
    invitation_hours: int = Field(
        default=72,
        ge=1,
        le=336,
        description="hours in which the link of an invitation to the staff can be used",
    )
    audit_days: int = Field(
        default=730, ge=30, description="days that the record of who did what on the staff pages is kept"
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="proxies in front whose X-Forwarded-For entry is believed"
    )
    largest_body: int = Field(default=65_536, ge=1024, description="bytes of a request body")
    pulse_hours: int = Field(default=72, ge=1, description="hours for which the pulse shows an item")
    stream_backlog: int = Field(
        default=300, ge=10, description="events a partition kept for streams that come back"
    )
    keep_days: int = Field(
        default=90, ge=1, description="days that feeds, messages, rejects and dead letters are kept"
    )

    digest_time: time = Field(
        default=time(7), description="when the notifier sends digests, on each resident's clock"
    )
    digest_weekday: int = Field(default=5, ge=1, le=7, description="of its weekly digests, 1 is Monday")
    picture_days: int = Field(
        default=90,
        ge=1,
        description="days that a picture is kept, from the newest revision of an item with it",
    )
    picture_timeout_seconds: float = Field(
        default=20, gt=0, description="seconds that fetching a picture may take"
    )
    pictures_allow_private: bool = Field(
        default=False, description="let pictures lie inside private networks: development only"
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError("is the address of the residents' pages, for example https://puls.example.no")
        return value.rstrip("/")

    @field_validator("pepper", "link_key")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 16:
            raise ValueError("has fewer than 16 characters; make one with `make keys`")
        return value

    @field_validator("operator_tokens")
    @classmethod
    def _are_named(cls, value: SecretStr) -> SecretStr:
        if not parse_operator_tokens(value.get_secret_value()):
            raise ValueError("names no operator: name:token, comma separated")
        return value

    def operators(self) -> dict[str, str]:
        """Tokens by the operator's name."""
        return parse_operator_tokens(self.operator_tokens.get_secret_value())

    @property
    def secure(self) -> bool:
        """Whether residents come by HTTPS, so that cookies may ask for it."""
        return self.public_url.startswith("https://")
