"""A made-up day in Fjordvik: every kind of item, one that was withdrawn, and one full of markup."""

import io
import math
from datetime import timedelta
from typing import Any

from kommunepuls_events import (
    Change,
    Channel,
    ContentItemV1,
    DeliveryState,
    DeliveryV1,
    Kind,
    Lifecycle,
    LifecycleState,
    Link,
    MatchV2,
    Organiser,
    Picture,
    Reason,
    ReasonType,
    RecipientGroup,
    SensorReadingV1,
    Severity,
    item_id,
)
from kommunepuls_events.base import utc_now
from kommunepuls_events.geometry import Point
from PIL import Image

TOWN = "NO-9901"
SCRIPT = '"><img src=x onerror="window.taken=1"><script>window.taken=1</script>'
_TOWN_HALL = Organiser(id=f"{TOWN}/kommune", name="Fjordvik kommune")
_CLUB = Organiser(id=f"{TOWN}/fjordvik-fotball", name="Fjordvik Fotball")


def item(native: str, title: str, minutes: float, **fields: Any) -> ContentItemV1:
    """An item of the town, published so many minutes ago."""
    source = f"{TOWN}/nyheter"
    at = utc_now() - timedelta(minutes=minutes)
    given = {"kind": Kind.NOTICE, "organiser": _TOWN_HALL, "published_at": at, "observed_at": at} | fields
    return ContentItemV1(
        id=item_id(source, native), revision=given.pop("revision", 1), municipality=TOWN, source=source,
        native_id=native, title=title, **given,
    )  # fmt: skip


def photo() -> bytes:
    """A photo of the harbour, as far as a gradient is one."""
    out = io.BytesIO()
    bands = Image.linear_gradient("L").resize((900, 600))
    Image.merge("RGB", (bands.point(lambda v: v // 3), bands.point(lambda v: 90 + v // 2), bands)).save(
        out, "JPEG"
    )
    return out.getvalue()


def news(picture: str) -> list[ContentItemV1]:
    """What has been told today; ``picture`` is the address of a picture."""
    now = utc_now()
    return [
        item("vann", "Vannet er stengt i Havna", 12, areas=(f"{TOWN}/havna",), severity=Severity.MODERATE,
             interests=("water-and-sewage",), summary="Et rør har røket i Havnegata.",
             body="<p>Vannet er borte til <strong>kl. 14</strong>.</p><ul><li>Tank på torget</li></ul>",
             links=(Link(url="https://fjordvik.example/vann", title="Driftsmeldinger"),),
             pictures=(Picture(url=picture, alternative_text="Vanntanken på torget"),)),
        item("vind", "Kraftige vindkast i Fjordvik", 300, kind=Kind.ALERT, severity=Severity.SEVERE,
             areas=(TOWN,), interests=("weather-warnings",), summary="Sikre løse gjenstander.",
             valid_until=now + timedelta(hours=8)),
        item("garasje", "Storgata 4: søknad om oppføring av garasje", 90, kind=Kind.PERMIT, stage="decided",
             revision=4, areas=(f"{TOWN}/sentrum",), interests=("building-permits",),
             geometry=Point(type="Point", coordinates=(10.08, 59.172)),
             organiser=Organiser(id=f"{TOWN}/plan-og-bygg", name="Plan og bygg"),
             lifecycle=Lifecycle(state=LifecycleState.UPDATED, changes=(
                 Change(field="stage", before="received", after="decided"),))),
        item("konsert", "Adventskonsert i Fjordvik kirke", 200, kind=Kind.EVENT, areas=(f"{TOWN}/kirkebygda",),
             interests=("music",), starts_at=now + timedelta(days=5), ends_at=now + timedelta(days=5, hours=2)),
        item("trener", "Fjordvik Fotball trenger trener for jenter 12 år", 40, kind=Kind.VOLUNTEER_NEED,
             areas=(f"{TOWN}/vestlia",), interests=("football", "volunteering"), organiser=_CLUB),
        item("broytet-havna", "Havna er brøytet", 25, kind=Kind.CONDITION, areas=(f"{TOWN}/havna",),
             interests=("winter-maintenance",), confidence=0.9),
        item("broytet-breidablikk", "Breidablikk er brøytet", 20, kind=Kind.CONDITION,
             areas=(f"{TOWN}/breidablikk",), interests=("winter-maintenance",), confidence=0.9),
        item("broytet-nordmarka", "Nordmarka er brøytet", 400, kind=Kind.CONDITION,
             areas=(f"{TOWN}/nordmarka",), interests=("winter-maintenance",), confidence=0.9),
        item("trukket", "Skolegata er stengt", 60, lifecycle=Lifecycle(state=LifecycleState.WITHDRAWN)),
        item("skript", f"Hei {SCRIPT}", 70, summary=SCRIPT, body=f"<p>text</p>{SCRIPT}", place_name=SCRIPT,
             areas=(f"{TOWN}/solasen",), organiser=Organiser(id=f"{TOWN}/klubb", name=SCRIPT)),
    ]  # fmt: skip


def long_ago() -> list[ContentItemV1]:
    """Permit cases of last month, each 100 m further from Storgata 4 than the one before."""
    return [
        item(f"sak-{number}", f"Storgata {number}: søknad om veranda", 60 * 24 * 30, kind=Kind.PERMIT,
             interests=("building-permits",),
             geometry=Point(type="Point", coordinates=(10.088487, 59.162666 + number * 0.0009)))
        for number in range(1, 25)
    ]  # fmt: skip


def history(permit: ContentItemV1) -> list[ContentItemV1]:
    """The earlier revisions of a permit case: received, corrected, amended."""
    stages = (
        (1, 90, "received", LifecycleState.PUBLISHED, ()),
        (2, 60, "received", LifecycleState.UPDATED, (
            Change(field="place_name", before="Storgata 40", after="Storgata 4"),)),
        (3, 30, "received", LifecycleState.UPDATED, (
            Change(field="body", before="Garasje på 40 kvadratmeter. " * 12, after="Garasje på 36 kvadratmeter. " * 12),)),
    )  # fmt: skip
    now = utc_now()
    return [
        permit.model_copy(
            update={
                "revision": revision,
                "stage": stage,
                "observed_at": now - timedelta(days=days),
                "published_at": now - timedelta(days=90),
                "lifecycle": Lifecycle(state=state, changes=changes),
            }
        )
        for revision, days, stage, state, changes in stages
    ]


def readings() -> list[SensorReadingV1]:
    """Two days of a bathing temperature, an hour apart."""
    now = utc_now()
    return [
        SensorReadingV1(
            sensor=f"{TOWN}/badetemperatur/bad-storoya", municipality=TOWN, source=f"{TOWN}/badetemperatur",
            name="Storøya", observed_property="water-temperature", value=round(16.5 + 1.8 * math.sin(hour / 24 * math.tau) - hour / 40, 1), unit="Cel",
            observed_at=now - timedelta(hours=hour), received_at=now,
        )
        for hour in range(47, -1, -1)
    ]  # fmt: skip


def match_of(matched: ContentItemV1, subscriber: str) -> MatchV2:
    """The match of an item with one resident, for two reasons."""
    reasons = (
        Reason(type=ReasonType.PLACE, place="home", distance_metres=280),
        Reason(type=ReasonType.AREA, area=matched.areas[0] if matched.areas else TOWN),
    )
    return MatchV2(
        id=f"{matched.id}#{matched.revision}#0#0", item=matched, shard=0, chunk=0,
        reasons=reasons, groups=(RecipientGroup(because=(0, 1), subscribers=(subscriber,)),), matched_at=utc_now(),
    )  # fmt: skip


def delivery_of(matched: ContentItemV1, subscriber: str, state: str) -> DeliveryV1:
    """What became of the message about an item."""
    causes = {"held": "quiet-hours", "failed": "mailbox-full"}
    return DeliveryV1(
        subscriber=subscriber, item=matched.id, revision=matched.revision, channel=Channel.EMAIL,
        state=DeliveryState(state), cause=causes.get(state), at=utc_now(),
    )  # fmt: skip
