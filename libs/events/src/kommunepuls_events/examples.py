"""One example of each message: frozen beside its schema, shown in AsyncAPI, used by contract tests."""

from datetime import UTC, datetime

from kommunepuls_events.base import Message
from kommunepuls_events.contacts import ContactCommandV1
from kommunepuls_events.content import Change, ContentItemV1, Lifecycle, Link, Organiser, item_id
from kommunepuls_events.deliveries import DeliveryV1
from kommunepuls_events.geometry import Point
from kommunepuls_events.matches import MatchV1, MatchV2, OfferV1, Reason, Recipient, RecipientGroup
from kommunepuls_events.profiles import Place, SensorThreshold, SubscriberProfileV1
from kommunepuls_events.rules import ContentRule, ContentRulesV1, RuleCondition, RuleEffect
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.sources import SourceStatusV1
from kommunepuls_events.vocabulary import (
    Channel,
    ContactAction,
    DeliveryState,
    Kind,
    LifecycleState,
    ReasonType,
    Severity,
)

_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_SOURCE = "NO-9901/innsyn"


def examples() -> dict[str, Message]:
    """An example by ``ce_type``."""
    item = ContentItemV1(
        id=item_id(_SOURCE, "2026/1234-7"),
        revision=2,
        municipality="NO-9901",
        source=_SOURCE,
        native_id="2026/1234-7",
        organiser=Organiser(id="NO-9901/plan-og-bygg", name="Plan og bygg"),
        kind=Kind.PERMIT,
        stage="decided",
        interests=("building-permits",),
        areas=("NO-9901/kirkebygda",),
        geometry=Point(coordinates=(10.21, 59.13)),
        place_name="Kirkeveien 3",
        title="Garasje i Kirkeveien 3",
        summary="Søknaden er innvilget.",
        links=(Link(url="https://innsyn.example/2026/1234", title="Saken"),),
        published_at=_NOON,
        observed_at=_NOON,
        lifecycle=Lifecycle(
            state=LifecycleState.UPDATED,
            changes=(Change(field="stage", before="received", after="decided"),),
        ),
    )
    reading = SensorReadingV1(
        sensor="NO-9901/badetemperatur/eui-70b3d57ed0000001",
        municipality="NO-9901",
        source="NO-9901/badetemperatur",
        name="Storøya",
        observed_property="water-temperature",
        value=20.1,
        unit="Cel",
        observed_at=_NOON,
        received_at=_NOON,
        sequence=4711,
        position=Point(coordinates=(10.19, 59.09)),
        areas=("NO-9901/storoya",),
    )
    profile = SubscriberProfileV1(
        subscriber="s-6f1c",
        revision=3,
        municipality="NO-9901",
        areas=("NO-9901/kirkebygda",),
        interests=("building-permits", "winter-maintenance"),
        organisers=("NO-9901/fjordvik-fotball",),
        places=(Place(id="home", label="Hjemme", longitude=10.212, latitude=59.132, radius_metres=500),),
        sensor_thresholds=(
            SensorThreshold(id="t1", sensor=reading.sensor, observed_property="water-temperature", value=20),
        ),
        changed_at=_NOON,
    )
    reasons = (
        Reason(type=ReasonType.PLACE, place="home", distance_metres=280),
        Reason(type=ReasonType.INTEREST, interest="building-permits"),
    )
    return {
        "kommunepuls.content-item.v1": item,
        "kommunepuls.sensor-reading.v1": reading,
        "kommunepuls.subscriber-profile.v1": profile,
        "kommunepuls.offer.v1": OfferV1(item=item, offered_at=_NOON),
        "kommunepuls.match.v1": MatchV1(
            id=f"{item.id}#2#0#0",
            item=item,
            shard=0,
            chunk=0,
            recipients=(Recipient(subscriber="s-6f1c", reasons=reasons),),
            matched_at=_NOON,
        ),
        "kommunepuls.match.v2": MatchV2(
            id=f"{item.id}#2#0#0",
            item=item,
            shard=0,
            chunk=0,
            reasons=(
                Reason(type=ReasonType.AREA, area="NO-9901/kirkebygda"),
                Reason(type=ReasonType.PLACE, place="home"),
                reasons[1],
            ),
            groups=(
                RecipientGroup(because=(0, 2), subscribers=("s-11d7", "s-40be", "s-93c5")),
                RecipientGroup(
                    because=(1, 2), subscribers=("s-6f1c", "s-8a02"), distances_metres=(280, 412.5)
                ),
            ),
            matched_at=_NOON,
        ),
        "kommunepuls.delivery.v1": DeliveryV1(
            subscriber="s-6f1c",
            item=item.id,
            revision=2,
            channel=Channel.EMAIL,
            state=DeliveryState.SENT,
            endpoint="e-1",
            at=_NOON,
        ),
        "kommunepuls.contact-command.v1": ContactCommandV1(
            id="c-1",
            subscriber="s-6f1c",
            action=ContactAction.REGISTER,
            endpoint="e-1",
            channel=Channel.EMAIL,
            sealed="c2VhbGVk",
            at=_NOON,
        ),
        "kommunepuls.source-status.v1": SourceStatusV1(
            source=_SOURCE,
            municipality="NO-9901",
            service="ingest-permits",
            type="acos-innsyn",
            last_attempt_at=_NOON,
            last_success_at=_NOON,
            items=12,
            rejects={"no-title": 1},
            at=_NOON,
        ),
        "kommunepuls.content-rules.v1": ContentRulesV1(
            municipality="NO-9901",
            revision=4,
            rules=(
                ContentRule(
                    id="power-cuts",
                    name="Strømbrudd er viktige",
                    when=RuleCondition(words=("strømbrudd*", "strømmen * borte"), kinds=(Kind.NOTICE,)),
                    then=RuleEffect(add_interests=("power",), severity=Severity.MODERATE),
                ),
                ContentRule(
                    id="competitions",
                    name="Konkurranser er ikke nytt fra kommunen",
                    when=RuleCondition(sources=("NO-9901/facebook",), words=("konkurranse*",)),
                    then=RuleEffect(drop=True),
                ),
            ),
            changed_at=_NOON,
        ),
    }
