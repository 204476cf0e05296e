"""AsyncAPI 3.0 and the topics page, generated from the registry.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json

from kommunepuls_events.event import CONTRACTS
from kommunepuls_events.examples import examples
from kommunepuls_events.topics import TOPICS, Topic, dead_letter_topics

_NAME_OF = {contract: name for name, contract in CONTRACTS.items()}

_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes in Kafka's binary content mode, and W3C trace context.",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "with ce_source the identity for deduplication"},
        "ce_source": {"type": "string"},
        "ce_type": {"type": "string", "description": "name of the message with its version"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string"},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string"},
    },
}


def asyncapi_document(schemas: dict[str, dict]) -> dict:
    """The document as plain values; JSON is valid YAML, so it is written as such."""
    shown = examples()
    channels, operations, messages = {}, {}, {}
    for topic in TOPICS:
        name = _NAME_OF.get(topic.contract, f"raw.{topic.name}")
        messages[name] = _message(name, topic, schemas, shown)
        channels[topic.name] = {
            "address": topic.name,
            "description": topic.purpose,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {
                "kafka": {
                    "topic": topic.name,
                    "partitions": topic.partitions,
                    "topicConfiguration": _configuration(topic),
                    "bindingVersion": "0.5.0",
                }
            },
        }
        for action, services in (("send", topic.producers), ("receive", topic.consumers)):
            for service in services:
                who = "neighbour-ingest" if service == "*" else service
                operations[f"{who}.{action}.{topic.name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic.name}"},
                    "title": f"{who} {action}s {topic.name}",
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kommunepuls",
            "version": "1.0.0",
            "description": "The topics by which information finds the resident.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _configuration(topic: Topic) -> dict:
    config = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "max.message.bytes": topic.max_message_bytes,
    }
    return config if topic.compacted else config | {"retention.ms": topic.retention_seconds * 1000}


def _message(name: str, topic: Topic, schemas: dict[str, dict], shown: dict) -> dict:
    key = {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": "0.5.0"}}
    if topic.contract is None:
        return {
            "name": name,
            "contentType": "application/octet-stream",
            "summary": topic.purpose,
            "payload": {"type": "string", "format": "binary"},
            "bindings": key,
        }
    return {
        "name": name,
        "contentType": "application/json",
        "summary": (topic.contract.__doc__ or "").splitlines()[0],
        "headers": _HEADERS,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": _inlined(schemas[name]),
        },
        "bindings": key,
        "examples": [{"payload": json.loads(shown[name].to_json())}],
    }


def _inlined(schema: dict) -> dict:
    """The schema with its definitions put in place: `$ref` in AsyncAPI counts from the document's root."""
    definitions = schema.get("$defs", {})

    def put_in_place(value: object) -> object:
        if isinstance(value, dict):
            if "$ref" in value:
                rest = {name: part for name, part in value.items() if name != "$ref"}
                target = definitions[value["$ref"].rsplit("/", 1)[1]]
                return put_in_place({**target, **rest})
            return {
                name: put_in_place(part)
                for name, part in value.items()
                if name not in ("$defs", "$schema", "$id", "discriminator")
            }
        return [put_in_place(part) for part in value] if isinstance(value, list) else value

    return put_in_place(schema)


def topics_page() -> str:
    """The registry as a Markdown table."""
    lines = [
        "# Topics",
        "",
        "Generated from `libs/events` by `make generate`; do not edit.",
        "",
        "| topic | carries | key | partitions | kept | producers | consumers | purpose |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for topic in (*TOPICS, *dead_letter_topics()):
        kept = "compacted" if topic.compacted else f"{topic.retention_seconds // 86400} days"
        carries = f"`{_NAME_OF[topic.contract]}`" if topic.contract else "bytes as they came"
        producers = ", ".join("a neighbour's ingest" if name == "*" else name for name in topic.producers)
        lines.append(
            f"| `{topic.name}` | {carries} | {topic.key} | {topic.partitions} | {kept} "
            f"| {producers} | {', '.join(topic.consumers)} | {topic.purpose} |"
        )
    return "\n".join(lines) + "\n"
