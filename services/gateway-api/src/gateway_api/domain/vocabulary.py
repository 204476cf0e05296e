"""The contract's closed lists in words, as message ids of the catalogues."""

from kommunepuls_events import (
    Cadence,
    Channel,
    ContentItemV1,
    DeliveryState,
    Kind,
    LifecycleState,
    Severity,
)


def marked(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


KINDS = {
    Kind.NOTICE: marked("Notice"),
    Kind.PERMIT: marked("Permit case"),
    Kind.EVENT: marked("Event"),
    Kind.CONDITION: marked("Condition now"),
    Kind.ALERT: marked("Warning"),
    Kind.VOLUNTEER_NEED: marked("Volunteers wanted"),
    Kind.POLL: marked("Have your say"),
}

SEVERITIES = {
    Severity.UNKNOWN: marked("All of them"),
    Severity.MINOR: marked("Minor and above"),
    Severity.MODERATE: marked("Moderate and above"),
    Severity.SEVERE: marked("Severe and above"),
    Severity.EXTREME: marked("Extreme only"),
}

LEVELS = {
    "urgent": marked("Urgent"),
    "important": marked("Important"),
    "information": marked("For information"),
}

CATEGORIES = {
    "alert": marked("Warning"),
    "water": marked("Water and sewage"),
    "road": marked("Roads and traffic"),
    "permit": marked("Building and planning"),
    "event": marked("Event"),
    "measurement": marked("Measurement"),
    "people": marked("Volunteers wanted"),
    "notice": marked("Notice"),
}

CLEARED = {
    "recent": marked("Ploughed or salted in the last 3 hours"),
    "earlier": marked("3 to 12 hours ago"),
    "longer": marked("Longer ago"),
    "waiting": marked("Not reported yet since the snowfall"),
}

STAGES = {
    "received": marked("Received"),
    "amended": marked("Amended"),
    "decided": marked("Decided"),
    "withdrawn": marked("Withdrawn"),
}

LIFECYCLES = {
    LifecycleState.PUBLISHED: marked("Published"),
    LifecycleState.UPDATED: marked("Updated"),
    LifecycleState.WITHDRAWN: marked("Withdrawn"),
}

FIELDS = {
    "title": marked("Title"),
    "summary": marked("Summary"),
    "body": marked("Text"),
    "stage": marked("Stage"),
    "starts_at": marked("Starts"),
    "ends_at": marked("Ends"),
    "valid_from": marked("Valid from"),
    "valid_until": marked("Valid until"),
    "place_name": marked("Place"),
    "geometry": marked("Position"),
    "areas": marked("Areas"),
    "severity": marked("Severity"),
    "links": marked("Links"),
    "pictures": marked("Pictures"),
}

CHANNELS = {Channel.EMAIL: marked("E-mail"), Channel.PUSH: marked("Push notification")}

CADENCES = {
    Cadence.IMMEDIATELY: marked("Right away"),
    Cadence.DAILY: marked("Once a day"),
    Cadence.WEEKLY: marked("Once a week"),
}

STATES = {
    DeliveryState.SENT: marked("Sent"),
    DeliveryState.HELD: marked("Waiting"),
    DeliveryState.DIGESTED: marked("Saved for your digest"),
    DeliveryState.FAILED: marked("Not delivered"),
    DeliveryState.SUPPRESSED: marked("Not sent"),
}

CAUSES = {
    "quiet-hours": marked("It came during your quiet hours"),
    "paused": marked("You have paused messages"),
    "daily": marked("You get a digest once a day"),
    "weekly": marked("You get a digest once a week"),
    "daily-digest": marked("You get a digest once a day"),
    "weekly-digest": marked("You get a digest once a week"),
    "attention-budget": marked("Your limit of messages for that day was reached"),
    "cadence": marked("You get messages in a digest"),
    "digest": marked("You get messages in a digest"),
    "hard-bounce": marked("Your e-mail provider says that the address does not exist"),
    "soft-bounce": marked("Your e-mail provider could not take it just now"),
    "complaint": marked("It was reported as unwanted"),
    "endpoint-gone": marked("The browser no longer takes notifications"),
    "no-endpoint": marked("We have no working address or device for you there"),
    "exercise": marked("It was an exercise, not a real warning"),
    "superseded": marked("A newer version was sent instead"),
    "withdrawn": marked("It was withdrawn before it was sent"),
    "throttled": marked("The provider asked us to wait"),
    "unreachable": marked("The provider could not be reached"),
    "timeout": marked("The provider did not answer in time"),
    "refused": marked("The provider refused it"),
    "too-large": marked("It was too large for the provider"),
    "unsubscribed": marked("You have unsubscribed from this channel"),
    "channel-off": marked("You have turned this channel off"),
    "muted": marked("You have muted this"),
    "expired": marked("It was over before it could be sent"),
    "mailbox-full": marked("Your mailbox is full"),
    "erased": marked("Your profile was deleted"),
    "no-profile": marked("Your profile was deleted"),
    "provider-busy": marked("The provider asked us to wait"),
    "slow-down": marked("The provider asked us to wait"),
    "later": marked("The provider asked us to wait"),
    "unresolved": marked("The provider could not be reached"),
    "broken-off": marked("The provider could not be reached"),
    "private-address": marked("The push service of the browser cannot be used"),
    "insecure-endpoint": marked("The push service of the browser cannot be used"),
    "no-such-address": marked("Your e-mail provider says that the address does not exist"),
    "vapid-refused": marked("Something went wrong on our side"),
    "smtp-login": marked("Something went wrong on our side"),
    "smtp-refused": marked("Something went wrong on our side"),
    "our-fault": marked("Something went wrong on our side"),
}

UNITS = {"Cel": "°C", "%": "%", "m": "m", "cm": "cm", "mm": "mm", "lx": "lx", "Pa": "Pa", "hPa": "hPa",
         "m/s": "m/s", "ug/m3": "µg/m³", "V": "V", "{count}": "", "1": "", "[pH]": "pH", "dB": "dB"}  # fmt: skip

PROPERTIES = {
    "water-temperature": marked("Water temperature"),
    "air-temperature": marked("Air temperature"),
    "water-level": marked("Water level"),
    "humidity": marked("Humidity"),
    "relative-humidity": marked("Humidity"),
    "soil-temperature": marked("Soil temperature"),
    "wind-speed": marked("Wind"),
    "precipitation": marked("Precipitation"),
    "snow-depth": marked("Snow depth"),
    "noise": marked("Noise"),
    "people-count": marked("Visitors"),
    "parking-occupied": marked("Parking"),
}

_CATEGORY_OF_INTEREST = {
    "water-and-sewage": "water",
    "roads-and-traffic": "road",
    "winter-maintenance": "road",
    "public-transport": "road",
    "parking": "road",
    "building-permits": "permit",
    "planning": "permit",
    "volunteering": "people",
}
_CATEGORY_OF_KIND = {
    Kind.ALERT: "alert",
    Kind.EVENT: "event",
    Kind.PERMIT: "permit",
    Kind.VOLUNTEER_NEED: "people",
}


def category_of(item: ContentItemV1) -> str:
    """The category that gives an item its sign on the map: a key of CATEGORIES."""
    if item.kind in _CATEGORY_OF_KIND:
        return _CATEGORY_OF_KIND[item.kind]
    for interest in item.interests:
        if interest in _CATEGORY_OF_INTEREST:
            return _CATEGORY_OF_INTEREST[interest]
    return "measurement" if item.kind is Kind.CONDITION else "notice"


def level_of(severity: Severity) -> str:
    """The severity as residents see it: a key of LEVELS."""
    if severity.rank >= Severity.SEVERE.rank:
        return "urgent"
    return "important" if severity is Severity.MODERATE else "information"
