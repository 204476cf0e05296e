"""Settings of the notifier."""

from datetime import time
from pathlib import Path
from typing import Literal

from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator


class Settings(ServiceSettings):
    """Read from environment variables that start with ``KP_``."""

    public_url: str = Field(description="address of the residents' pages, for links: https://puls.example.no")
    link_key: SecretStr = Field(
        description="secret that signs unsubscribe links, shared with the gateway; older ones behind a comma"
    )

    smtp_host: str = Field(description="mail server that takes our mail")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="its port")
    smtp_username: str | None = Field(default=None, description="login at the mail server, if it wants one")
    smtp_password: SecretStr | None = Field(default=None, description="its password")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="of the connection to it; none is for development only"
    )
    smtp_connections: int = Field(default=8, ge=1, le=100, description="connections at a time")
    smtp_at_once: int = Field(
        default=64, ge=1, description="mails under way at a time; as many may be sent again after a kill"
    )
    smtp_timeout_seconds: float = Field(default=20, gt=0, description="seconds the mail server may take")
    mail_from: str = Field(description="address that mails come from, and where returned mails go")
    dkim_domain: str | None = Field(
        default=None, description="domain that signs our mail (DKIM); none where the mail server signs"
    )
    dkim_selector: str = Field(
        default="", description="names of the keys below DNS's _domainkey, comma separated"
    )
    dkim_private_key: SecretStr | None = Field(
        default=None, description="their private keys in the same order, see notifier.keys"
    )
    dkim_private_key_file: Path | None = Field(
        default=None, description="a file that holds them instead, PEM one after the other"
    )
    dkim_processes: int = Field(
        default=1, ge=1, le=64, description="processes that sign, each about 1,000 mails a second"
    )
    bounce_folder: Path | None = Field(
        default=None, description="folder (a Maildir's new) into which returned mails are put"
    )

    vapid_private_key: SecretStr = Field(description="P-256 private key, base64url, see notifier.keys")
    vapid_subject: str = Field(description="mailto: or https: address of who runs this, for push services")
    push_allow_private: bool = Field(
        default=False, description="let push endpoints be http and inside private networks: development only"
    )
    push_plain_http2: bool = Field(
        default=False, description="speak HTTP/2 to http push endpoints, too: development only"
    )
    push_at_once: int = Field(default=256, ge=1, description="push messages under way at a time")
    push_at_once_per_service: int = Field(default=64, ge=1, description="of these to one push service")
    push_processes: int = Field(
        default=2,
        ge=0,
        le=4,
        description="processes that tell many the same over web push; with 0 this one does it",
    )
    push_crowd_at_once: int = Field(
        default=512,
        ge=1,
        description="messages of such a process to one push service that are under way or not yet written down",
    )
    push_keys_ahead: int = Field(
        default=200_000,
        ge=0,
        description="message keys that such processes make ahead, and push endpoints they keep open, in memory alone",
    )
    push_keys_hours: float = Field(
        default=12, gt=0, le=24, description="hours after which a key made ahead is thrown away unused"
    )
    push_timeout_seconds: float = Field(default=10, gt=0, description="seconds a push service may take")

    vault_key: SecretStr = Field(
        description="AES-256 key for contact details at rest, base64url; older ones behind a comma"
    )
    contact_private_key: SecretStr = Field(description="X25519 key that contact commands are sealed for")

    digest_time: time = Field(
        default=time(7, 0), description="when digests are sent, on each resident's clock"
    )
    digest_weekday: int = Field(default=5, ge=1, le=7, description="of weekly digests, 1 is Monday")
    follow_up_delay_seconds: float = Field(
        default=20,
        ge=0,
        description="seconds that a changed item waits for its matches before earlier readers are told",
    )
    lease_seconds: float = Field(
        default=60, ge=1, description="seconds after which a message is taken over from a process that died"
    )
    keep_days: int = Field(default=90, ge=1, description="days that the ledger of messages is kept")

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("is not an address that starts with https://")
        return value.rstrip("/")

    @field_validator("mail_from")
    @classmethod
    def _is_a_mail_address(cls, value: str) -> str:
        local, _, domain = value.rpartition("@")
        if not local or not domain or any(character in value for character in " <>\r\n"):
            raise ValueError("is not a bare e-mail address such as puls@example.no")
        return value
