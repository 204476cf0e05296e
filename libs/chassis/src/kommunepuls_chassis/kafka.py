"""How clients connect: one place for addresses, security and the settings that were measured."""

import ssl
from typing import Any

from aiokafka.helpers import create_ssl_context

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.settings import ServiceSettings


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "client_id": settings.instance,
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": 15_000,
        "retry_backoff_ms": 100,
    }
    if settings.kafka_security.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security.startswith("SASL"):
        if not settings.kafka_username or not settings.kafka_password:
            raise OperatorError(
                f"KP_KAFKA_SECURITY is {settings.kafka_security}: set KP_KAFKA_USERNAME and KP_KAFKA_PASSWORD"
            )
        options |= {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def _ssl_context(settings: ServiceSettings) -> ssl.SSLContext:
    try:
        return create_ssl_context(cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None)
    except OSError as error:
        raise OperatorError(
            f"KP_KAFKA_CA_FILE: {settings.kafka_ca_file} cannot be read: {error.strerror}"
        ) from None
