"""Settings of the service; page tokens are in variables that the town files name."""

from kommunepuls_chassis.settings import ServiceSettings
from pydantic import Field, SecretStr


class Settings(ServiceSettings):
    """Read from environment variables that start with ``KP_``."""

    facebook_app_secret: SecretStr | None = Field(
        default=None,
        description="secret of the Facebook app: checks webhooks, and proves our requests (appsecret_proof)",
    )
    facebook_verify_token: SecretStr | None = Field(
        default=None, description="word agreed with Facebook for the webhook handshake"
    )
    facebook_webhook_largest_bytes: int = Field(
        default=1_048_576, ge=1024, description="bytes of a webhook that are read; longer ones are refused"
    )
    facebook_look_seconds: float = Field(
        default=5.0, gt=0, description="seconds between looks at the town files"
    )
