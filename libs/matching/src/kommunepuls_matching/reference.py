"""Who matches, written for clarity: the meaning that the index is held to."""

from functools import lru_cache

from kommunepuls_events import ContentItemV1, Kind, Place, Reason, ReasonType, SubscriberProfileV1
from kommunepuls_geography import Geography

from kommunepuls_matching.areas import areas_around
from kommunepuls_matching.concern import Concern, is_offered

# One resident is asked about many items, one after the other.
_areas_around = lru_cache(maxsize=64)(areas_around)


def reasons_for(
    item: ContentItemV1, profile: SubscriberProfileV1, geography: Geography
) -> tuple[Reason, ...]:
    """Why the item concerns the resident, best reason first; empty if it does not.

    Raises:
        GeographyError: for a geometry that cannot be computed with.
    """
    return reasons_of(Concern.of(item, geography), profile, geography) if is_offered(item) else ()


def reasons_of(concern: Concern, profile: SubscriberProfileV1, geography: Geography) -> tuple[Reason, ...]:
    """The same for an item that is offered and whose concern is worked out already."""
    item = concern.item
    if is_muted(item, profile) or not _heard(item, profile):
        return ()
    places = _place_reasons(concern, profile, geography)
    areas = [
        Reason(type=ReasonType.AREA, area=area)
        for area in dict.fromkeys(profile.areas)
        if area in concern.related
    ]
    organisers = [
        Reason(type=ReasonType.ORGANISER, organiser=item.organiser.id)
        for followed in dict.fromkeys(profile.organisers)
        if item.organiser is not None and followed == item.organiser.id
    ]
    interests = [
        Reason(type=ReasonType.INTEREST, interest=slug)
        for slug in concern.interests
        if slug in profile.interests and slug not in profile.muted.interests
    ]
    located = bool(places or areas)
    warned = item.emergency and located
    if not (organisers or (located and interests) or warned):
        return ()
    emergency = [Reason(type=ReasonType.EMERGENCY)] if warned else []
    return (*emergency, *places, *areas, *organisers, *interests)


def is_muted(item: ContentItemV1, profile: SubscriberProfileV1) -> bool:
    """Whether the resident asked not to hear of it; emergencies pass."""
    if item.emergency:
        return False
    muted = profile.muted
    return (
        item.source in muted.sources
        or item.id in muted.items
        or (item.organiser is not None and item.organiser.id in muted.organisers)
        or (bool(item.interests) and set(item.interests) <= set(muted.interests))
    )


def _heard(item: ContentItemV1, profile: SubscriberProfileV1) -> bool:
    """Whether an alert is severe enough for the resident, and the item meant for people like them."""
    if item.kind is Kind.ALERT and item.severity.rank < profile.minimum_severity.rank:
        return False
    return not (item.audience and profile.audience and set(item.audience).isdisjoint(profile.audience))


def _place_reasons(concern: Concern, profile: SubscriberProfileV1, geography: Geography) -> list[Reason]:
    """One reason for each place that is near, the nearest first."""
    found = [
        reason for place in profile.places if (reason := _place_reason(concern, place, geography)) is not None
    ]
    return sorted(found, key=lambda reason: reason.distance_metres)


def _place_reason(concern: Concern, place: Place, geography: Geography) -> Reason | None:
    if concern.footprint is not None:
        distance = concern.footprint.distance_within(place.longitude, place.latitude, place.radius_metres)
        if distance is None:
            return None
        return Reason(type=ReasonType.PLACE, place=place.id, distance_metres=distance)
    around = _areas_around(place.longitude, place.latitude, geography)
    for area in concern.areas:
        if area in around:
            return Reason(type=ReasonType.PLACE, place=place.id, distance_metres=0.0, area=area)
    return None
