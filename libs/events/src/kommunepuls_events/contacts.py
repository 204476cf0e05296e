"""Contact commands: how the gateway hands contact details to the notifier without showing them to Kafka."""

from pydantic import Field

from kommunepuls_events.base import Identifier, Instant, LanguageTag, Message
from kommunepuls_events.vocabulary import Channel, ContactAction


class ContactCommandV1(Message):
    """One command, as published to ``contact-commands.v1``.

    ``sealed`` is a base64url ciphertext for the notifier's public key (HPKE, RFC 9180). Its plain text
    is JSON: ``{"address"}`` to register e-mail, ``{"endpoint", "p256dh", "auth"}`` to register push,
    ``{"address", "link"}`` to send a link, with ``"letter"`` (``staff-link``, ``staff-invitation``) where it
    goes to the municipality's staff and not to a resident. Who reads the topic learns pseudonyms and nothing else.
    """

    id: Identifier
    subscriber: Identifier
    action: ContactAction
    endpoint: Identifier | None = Field(default=None, description="id of the endpoint it is about")
    channel: Channel | None = None
    language: LanguageTag = "nb"
    sealed: str | None = Field(default=None, max_length=16_384)
    expires_at: Instant | None = Field(default=None, description="a link not sent by then is dropped")
    at: Instant
