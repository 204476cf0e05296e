"""Settings that every service has; a service's own class adds its fragments."""

import os
import socket
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kommunepuls_chassis.errors import OperatorError

PREFIX = "KP_"


class ServiceSettings(BaseSettings):
    """Read from environment variables that start with ``KP_``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="brokers as host:port, comma separated"
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = Field(
        default="PLAINTEXT", description="security protocol"
    )
    kafka_username: str | None = Field(default=None, description="SASL SCRAM-SHA-512 user")
    kafka_password: SecretStr | None = Field(default=None, description="its password")
    kafka_ca_file: Path | None = Field(default=None, description="CA certificates of the brokers, PEM")
    kafka_session_seconds: float = Field(
        default=10, ge=1, description="seconds without a heartbeat after which a consumer counts as dead"
    )
    store_url: str | None = Field(
        default=None,
        description="mongodb://host/database or sqlite:///path; the default is an own file in data_dir",
    )
    data_dir: Path = Field(default=Path(".run/data"), description="folder for embedded stores")
    town_files: str = Field(
        default="", description="town files (YAML), separated by the system's path separator"
    )
    http_host: str = Field(default="127.0.0.1", description="address that the HTTP port listens on")
    http_port: int = Field(default=0, ge=0, le=65535, description="0 takes a free port")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    instance: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}", description="name of this process"
    )

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        for broker in value.split(","):
            host, _, port = broker.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{broker.strip()!r} is not host:port, for example kafka:9092")
        return value

    def town_paths(self) -> list[Path]:
        """The town files as paths."""
        return [Path(part) for part in self.town_files.split(os.pathsep) if part]

    def store_url_for(self, service: str) -> str:
        """The address of the service's own database."""
        if self.store_url:
            return self.store_url
        self.data_dir.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{(self.data_dir / f'{service}.db').resolve()}"


SettingsClass = TypeVar("SettingsClass", bound=ServiceSettings)


def load_settings(settings_class: type[SettingsClass]) -> SettingsClass:
    """Read the settings from the environment.

    Raises:
        OperatorError: one line a wrong or missing variable, named as it is set.
    """
    try:
        return settings_class()
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_input=False):
            name = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
            lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
        raise OperatorError("; ".join(lines)) from None


def settings_table(settings_class: type[ServiceSettings]) -> str:
    """The settings as a Markdown table, for READMEs."""
    rows = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in settings_class.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default_factory is not None:
            default = "made at start"
        else:
            default = "none" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {field.description or ''} | {default} |")
    return "\n".join(rows)
