"""What the JSON API takes and gives, beside the messages of the contract."""

from datetime import datetime
from typing import Annotated, Any

from kommunepuls_events import Channel, ContentItemV1, Reason, SourceStatusV1
from kommunepuls_events.base import LanguageTag, MunicipalityCode, Slug
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints

from gateway_api.domain.choices import Choices

_KEY = r"^[A-Za-z0-9_-]{10,200}={0,2}$"


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignInLinkRequest(_Taken):
    """Mail a link to an address."""

    address: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    municipality: MunicipalityCode | None = Field(
        default=None, description="where to sign up; one town needs none"
    )
    language: LanguageTag = "nb"


class SessionRequest(_Taken):
    """Follow a mailed link."""

    token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class SessionAnswer(BaseModel):
    """Who is signed in, and the token that changes must carry in ``X-CSRF-Token``."""

    subscriber: str
    csrf_token: str
    expires_at: datetime
    new: bool = False


class PushKeys(_Taken):
    """Keys of a push subscription, base64url."""

    p256dh: Annotated[str, StringConstraints(pattern=_KEY)]
    auth: Annotated[str, StringConstraints(pattern=_KEY)]


class PushSubscriptionRequest(BaseModel):
    """``PushSubscription.toJSON()`` of a browser, and what to call the device."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    endpoint: Annotated[HttpUrl, Field(description="address at the browser's push service")]
    keys: PushKeys
    label: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""


class EndpointAnswer(BaseModel):
    """A device or the e-mail address; its address is with the notifier alone."""

    id: str
    channel: Channel
    label: str
    registered_at: datetime
    retired: str | None = Field(default=None, description="why it is no longer used")


class PreviewRequest(_Taken):
    """Choices to be tried. With ``every_interest`` those of the choices do not narrow."""

    municipality: MunicipalityCode | None = None
    choices: Choices
    every_interest: bool = False


class PreviewAnswer(BaseModel):
    """What they would have brought in the last days: items, messages (a change that is news is another)."""

    items: int
    messages: int
    messages_a_week: float
    days: int
    text: str = Field(description="how often that is, in words")


class ProfileAnswer(BaseModel):
    """A resident's choices at a revision, which is the ETag."""

    subscriber: str
    municipality: str
    revision: int
    changed_at: datetime
    choices: Choices
    endpoints: list[EndpointAnswer]


class ReasonAnswer(BaseModel):
    """A reason, and the same in words."""

    reason: Reason
    text: str


class FeedAnswer(BaseModel):
    """One item of a resident's feed."""

    item: ContentItemV1
    matched_at: datetime
    reasons: list[ReasonAnswer]


class FeedPage(BaseModel):
    """A page of the feed."""

    entries: list[FeedAnswer]
    next_cursor: str | None = None


class MessageStep(BaseModel):
    """One state that a message was in."""

    state: str
    cause: str | None = None
    permanence: str | None = None
    attempt: int = 1
    at: datetime
    endpoint: str | None = None


class MessageAnswer(BaseModel):
    """One message: what was sent or not, how, and why."""

    item: str
    revision: int
    title: str | None
    channel: Channel
    state: str
    cause: str | None
    cause_text: str
    at: datetime
    steps: list[MessageStep]


class MessagePage(BaseModel):
    """A page of the message centre."""

    messages: list[MessageAnswer]
    next_cursor: str | None = None


class ErasureAnswer(BaseModel):
    """What was deleted here at once, and what follows by itself."""

    erased_at: datetime
    deleted: dict[str, int]
    follows: str


class Named(BaseModel):
    """An id with its name."""

    id: str
    name: str


class AreaAnswer(Named):
    """An area that can be followed."""

    parent: str | None
    kind: str
    depth: int


class SensorAnswer(BaseModel):
    """The newest good value of a sensor."""

    sensor: str
    name: str
    observed_property: str
    value: float
    unit: str
    observed_at: datetime
    areas: list[str]
    position: tuple[float, float] | None
    history: list[tuple[datetime, float]] = Field(default=[], description="the last 48 hours")


class ItemAnswer(BaseModel):
    """An item's newest revision and the areas that it concerns."""

    item: ContentItemV1
    areas: list[str]


class ItemPage(BaseModel):
    """A page of items."""

    items: list[ItemAnswer]
    next_cursor: str | None = None


class ItemHistory(ItemAnswer):
    """An item with all its revisions, the oldest first."""

    revisions: list[ContentItemV1]


class PulseAnswer(BaseModel):
    """What happens in a municipality now."""

    municipality: str
    items: list[ItemAnswer]
    sensors: list[SensorAnswer]


class SourcesAnswer(BaseModel):
    """How the sources are doing."""

    sources: list[SourceStatusV1]


class LetterAnswer(BaseModel):
    """A reject or dead letter."""

    id: str
    state: str
    reason: str
    detail: str
    service: str
    attempts: int
    at: datetime
    topic: str
    partition: int
    offset: int
    source: str
    entry: str
    key: str
    size: int
    replayed_at: datetime | None
    replay: str | None


class LetterContent(LetterAnswer):
    """A record with its bytes and headers."""

    headers: list[tuple[str, str]]
    value_text: str | None = Field(description="the bytes as UTF-8, when they are")
    value_base64: str


class LetterPage(BaseModel):
    """A page of records."""

    records: list[LetterAnswer]
    next_cursor: str | None = None


class ReplayRequest(_Taken):
    """Which open records to send back; what is left out does not narrow."""

    reason: str | None = None
    service: Slug | None = None
    source: str | None = None
    topic: str | None = None


class ReplayAnswer(BaseModel):
    """A replay and how far it is."""

    id: str
    state: str
    filter: dict[str, Any]
    operator: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    done: int
    failed: int


class ReplayPage(BaseModel):
    """A page of replays."""

    replays: list[ReplayAnswer]
    next_cursor: str | None = None


class SubscriberRequest(_Taken):
    """A resident to bring over from an older system, whose consent is known."""

    municipality: MunicipalityCode
    choices: Choices = Choices()
    address: Annotated[str, StringConstraints(min_length=3, max_length=254)] | None = None
    push_subscriptions: Annotated[tuple[PushSubscriptionRequest, ...], Field(max_length=10)] = ()


class SubscriberAnswer(BaseModel):
    """The subscriber; ``created`` is false when the address was known and nothing was changed."""

    subscriber: str
    created: bool
    endpoints: list[EndpointAnswer]
