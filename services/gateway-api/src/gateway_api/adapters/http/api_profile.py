"""JSON API: a resident's choices, devices, export and erasure."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess, clear_session
from gateway_api.adapters.http.models import (
    EndpointAnswer,
    ErasureAnswer,
    ProfileAnswer,
    PushSubscriptionRequest,
)
from gateway_api.domain.choices import Choices, choices_of
from gateway_api.domain.errors import Fault, Invalid
from gateway_api.domain.subscribers import Endpoint, Subscriber
from gateway_api.service.export import everything_of
from gateway_api.service.residents import PushSubscription

router = APIRouter(prefix="/api/v1", tags=["my profile"])

FOLLOWS = (
    "Kafka drops the profile within two days; the notifier forgets the address when it reads the command"
)


@router.get("/profile")
async def profile(response: Response, reader: ResidentAccess) -> ProfileAnswer:
    """My choices. The ETag is their revision."""
    return _answer(response, reader.subscriber)


@router.put("/profile")
async def choose(
    response: Response,
    choices: Choices,
    reader: ResidentAccess,
    gateway: GatewayAccess,
    if_match: Annotated[str | None, Header()] = None,
) -> ProfileAnswer:
    """Change my choices. With ``If-Match`` only if nobody changed them meanwhile."""
    town = gateway.towns.of(reader.subscriber.profile.municipality)
    changed = await gateway.residents.choose(
        reader.subscriber.id, lambda _: choices, town.offer, revision=_revision(if_match)
    )
    return _answer(response, changed)


def _revision(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdigit() or len(text) > 18:
        raise Invalid([Fault("/if-match", "is the ETag of the profile as it was read")])
    return int(text)


def _answer(response: Response, subscriber: Subscriber) -> ProfileAnswer:
    held = subscriber.profile
    response.headers["ETag"] = f'"{held.revision}"'
    response.headers["Cache-Control"] = "no-store"
    return ProfileAnswer(
        subscriber=held.subscriber,
        municipality=held.municipality,
        revision=held.revision,
        changed_at=held.changed_at,
        choices=choices_of(held),
        endpoints=[endpoint_answer(one) for one in subscriber.endpoints],
    )


def endpoint_answer(endpoint: Endpoint) -> EndpointAnswer:
    """A device as shown."""
    return EndpointAnswer(
        id=endpoint.id,
        channel=endpoint.channel,
        label=endpoint.label,
        registered_at=endpoint.registered_at,
        retired=endpoint.retired,
    )


def push_subscription(asked: PushSubscriptionRequest) -> PushSubscription:
    """A browser's subscription, refused unless its push service is asked over HTTPS or on this machine.

    Raises:
        Invalid.
    """
    local = asked.endpoint.host in ("127.0.0.1", "localhost", "[::1]")
    if asked.endpoint.scheme != "https" and not local:
        raise Invalid([Fault("/endpoint", "is an https address")])
    return PushSubscription(str(asked.endpoint), asked.keys.p256dh, asked.keys.auth, asked.label)


@router.post("/push-subscriptions", status_code=201)
async def register_a_browser(
    asked: PushSubscriptionRequest, reader: ResidentAccess, gateway: GatewayAccess
) -> EndpointAnswer:
    """Send notifications to this browser from now on. The same browser again is the same device."""
    return endpoint_answer(
        await gateway.residents.register_push(reader.subscriber.id, push_subscription(asked))
    )


@router.delete("/endpoints/{endpoint}", status_code=204)
async def remove_a_device(endpoint: str, reader: ResidentAccess, gateway: GatewayAccess) -> None:
    """Send nothing more to a device."""
    await gateway.residents.remove_endpoint(reader.subscriber.id, endpoint)


@router.post("/endpoints/{endpoint}/test", status_code=202)
async def send_a_test(endpoint: str, reader: ResidentAccess, gateway: GatewayAccess) -> dict[str, str]:
    """Send a test notification to a device."""
    await gateway.residents.send_test(reader.subscriber.id, endpoint)
    return {"detail": "a test is on its way"}


@router.get("/export")
async def export(response: Response, reader: ResidentAccess, gateway: GatewayAccess) -> dict:
    """Everything kept of me here (GDPR articles 15 and 20)."""
    response.headers["Content-Disposition"] = 'attachment; filename="kommunepuls.json"'
    response.headers["Cache-Control"] = "no-store"
    return await everything_of(reader.subscriber, gateway.collections)


@router.delete("/subscriber")
async def erase(response: Response, reader: ResidentAccess, gateway: GatewayAccess) -> ErasureAnswer:
    """Delete everything kept of me, at once (GDPR article 17)."""
    deleted = await gateway.residents.erase(reader.subscriber.id)
    clear_session(response, gateway.settings)
    return ErasureAnswer(erased_at=utc_now(), deleted=deleted, follows=FOLLOWS)
