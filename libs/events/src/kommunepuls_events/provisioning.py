"""Topics and rights as rows, for whatever provisions the cluster."""

from kommunepuls_events.topics import TOPICS, Topic, dead_letter_topics


def topic_rows() -> list[dict]:
    """Every topic with partitions and settings."""
    return [
        {"name": topic.name, "partitions": topic.partitions, "config": topic.config}
        for topic in (*TOPICS, *dead_letter_topics())
    ]


def acl_rows() -> list[dict]:
    """What each service may do on which topic, and the group it may join.

    A neighbour's ingest service gets a principal of its own with the rows of ``neighbour-ingest``. Kafka's
    rights end at the topic: that it publishes for its own municipality alone is agreed, not enforced
    (docs/architecture.md, "Neighbours").
    """
    rows: dict[str, dict] = {}
    for topic in TOPICS:
        for producer in topic.producers:
            _grant(rows, producer, "write", topic)
        for consumer in topic.consumers:
            _grant(rows, consumer, "read", topic)
            if topic.dead_letter_topic:
                _row(rows, consumer)["write"].append(topic.dead_letter_topic)
    for topic in dead_letter_topics():
        _grant(rows, "gateway-api", "read", topic)
    # A replay puts a dead letter back where it came from.
    rows["gateway-api"]["write"] += [topic.name for topic in TOPICS if topic.dead_letters]
    return [
        row | {"read": sorted(set(row["read"])), "write": sorted(set(row["write"]))}
        for _, row in sorted(rows.items())
    ]


def _row(rows: dict[str, dict], service: str) -> dict:
    name = "neighbour-ingest" if service == "*" else service
    return rows.setdefault(name, {"principal": f"User:{name}", "group": f"{name}*", "read": [], "write": []})


def _grant(rows: dict[str, dict], service: str, right: str, topic: Topic) -> None:
    _row(rows, service)[right].append(topic.name)
