"""Structured logs: an event name plus bound keys, never a contact detail, token or address."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(
    r"(^|_)(address|email|mail|phone|endpoint|p256dh|auth|token|password|secret|authorization|signature|"
    r"cookie|name_of_person|link|url_with_token)$"
)
_SECRET_TEXTS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "<e-mail>"),
    (
        re.compile(r"(?i)(access_token|token|key|secret|sig|signature|hub\.verify_token)=[^&\s\"']+"),
        r"\1=<hidden>",
    ),
    (re.compile(r"(?i)\b(bearer|vapid|basic)\s+[\w.~+/=,-]+"), r"\1 <hidden>"),
    (re.compile(r"\bEAA[A-Za-z0-9]{20,}"), "<token>"),
    (
        re.compile(r"https://(?:fcm\.googleapis|updates\.push|web\.push|[\w.-]*notify\.windows)[^\s\"']*"),
        "<push endpoint>",
    ),
)
_QUIET = (
    "aiokafka",
    "aiokafka.producer.sender",
    "aiokafka.consumer.fetcher",
    "aiokafka.conn",
    "httpx",
    "httpcore",
)


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides contact details and secrets, by key and by shape."""
    for key, value in entry.items():
        entry[key] = "<hidden>" if _SECRET_KEYS.search(key) and value is not None else _redacted(value)
    return entry


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return redact(None, "", dict(value))
    if isinstance(value, (list, tuple)):
        return [_redacted(part) for part in value]
    return value


def configure_logging(service: str, *, level: str = "INFO", text: bool = False) -> None:
    """Set up structlog and the standard library's logging for this process, on stderr."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=False) if text else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)


def get_logger() -> structlog.stdlib.BoundLogger:
    """A logger; bind keys to it."""
    return structlog.get_logger()
