"""The gateway's collections and the fields by which their documents are found."""

from dataclasses import dataclass

from kommunepuls_chassis.store import Collection, DocumentStore, Index


@dataclass(frozen=True, slots=True)
class Collections:
    """Own state: subscribers to drafts. Read model: the rest."""

    subscribers: Collection
    departures: Collection
    addresses: Collection
    links: Collection
    sessions: Collection
    counts: Collection
    staff: Collection
    staff_links: Collection
    staff_sessions: Collection
    audit: Collection
    rule_versions: Collection
    clubs: Collection
    drafts: Collection
    items: Collection
    revisions: Collection
    sensors: Collection
    feed: Collection
    reads: Collection
    messages: Collection
    sources: Collection
    letters: Collection
    delivery_counts: Collection
    replays: Collection
    pictures: Collection
    picture_files: Collection


async def open_collections(store: DocumentStore) -> Collections:
    """Create what is missing and open all."""
    outbox = Index("outbox_due_at")
    return Collections(
        subscribers=await store.collection(
            "subscribers",
            indexes=[outbox, Index("state"), Index("municipality"), Index("municipality", "changed_at")],
        ),
        departures=await store.collection(
            "departures", indexes=[Index("municipality", "gone_at"), Index("gone_at")]
        ),
        addresses=await store.collection(
            "addresses", indexes=[Index("subscriber"), Index("confirmed", "expires_at")]
        ),
        links=await store.collection(
            "links", indexes=[outbox, Index("subscriber"), Index("expires_at"), Index("state", "expires_at")]
        ),
        sessions=await store.collection("sessions", indexes=[Index("subscriber"), Index("expires_at")]),
        counts=await store.collection("counts", indexes=[Index("expires_at")]),
        staff=await store.collection("staff", indexes=[Index("municipality"), Index("id")]),
        staff_links=await store.collection(
            "staff_links", indexes=[outbox, Index("member"), Index("expires_at"), Index("state")]
        ),
        staff_sessions=await store.collection(
            "staff_sessions", indexes=[Index("member"), Index("expires_at")]
        ),
        rule_versions=await store.collection(
            "rule_versions", indexes=[outbox, Index("municipality", "revision")]
        ),
        audit=await store.collection("audit", indexes=[Index("municipality", "at"), Index("at")]),
        clubs=await store.collection("clubs", indexes=[Index("municipality")]),
        drafts=await store.collection(
            "drafts",
            indexes=[outbox, Index("municipality", "state", "changed_at"), Index("organiser", "changed_at")],
        ),
        items=await store.collection(
            "items",
            indexes=[
                Index("municipality", "public", "published_at"),
                Index("municipality", "public", "over_at"),
                Index("municipality", "kept_at"),
                Index("published_at"),
                Index("kind"),
                Index("organiser"),
                Index("interests", array=True),
                Index("area_terms", array=True),
            ],
        ),
        revisions=await store.collection(
            "revisions", indexes=[Index("item", "revision"), Index("observed_at")]
        ),
        sensors=await store.collection("sensors", indexes=[Index("municipality"), Index("sensor")]),
        feed=await store.collection(
            "feed",
            indexes=[
                Index("subscriber", "matched_at"),
                Index("subscriber", "kept_at"),
                Index("matched_at"),
                Index("item"),
            ],
        ),
        reads=await store.collection("reads", indexes=[Index("subscriber"), Index("at")]),
        messages=await store.collection(
            "messages", indexes=[Index("subscriber", "at"), Index("at"), Index("item"), Index("state")]
        ),
        sources=await store.collection("sources", indexes=[Index("municipality")]),
        delivery_counts=await store.collection(
            "delivery_counts", indexes=[Index("municipality", "day"), Index("day")]
        ),
        letters=await store.collection(
            "letters",
            indexes=[
                Index("origin", "state", "at"),
                Index("at"),
                Index("reason"),
                Index("service"),
                Index("source"),
                Index("topic"),
                Index("replay", "state"),
            ],
        ),
        replays=await store.collection("replays", indexes=[Index("due_at"), Index("created_at")]),
        pictures=await store.collection("pictures", indexes=[Index("due_at"), Index("kept_until")]),
        picture_files=await store.collection("picture_files", indexes=[Index("picture")]),
    )
