"""Prints the commands that bring a cluster to topics.json and acls.json, for Kafka's own tools; runs nothing.

``python deploy/kafka/commands.py topics|acls|topics-job|neighbour …``; see README.md beside it. Needs Python alone.
Every command can be run again: what is there already stays.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NEIGHBOUR = "User:neighbour-ingest"
"""The row of acls.json that is a pattern: each neighbour gets it under a name of its own."""


def topic_commands(connection: list[str], replication: int) -> Iterator[list[str]]:
    """Create each topic, and give those that were there the settings of the registry.

    Partitions of a topic that is there are left alone: growing them moves keys (docs/runbook.md).
    """
    for row in _rows("topics.json"):
        config = [f"{name}={value}" for name, value in row["config"].items()]
        yield [
            "kafka-topics.sh", *connection, "--create", "--if-not-exists", "--topic", row["name"],
            "--partitions", str(row["partitions"]), "--replication-factor", str(replication),
        ]  # fmt: skip
        yield [
            "kafka-configs.sh", *connection, "--alter", "--entity-type", "topics", "--entity-name", row["name"],
            "--add-config", ",".join(config),
        ]  # fmt: skip


def acl_commands(connection: list[str]) -> Iterator[list[str]]:
    """The rights of the services."""
    for row in _rows("acls.json"):
        if row["principal"] != NEIGHBOUR:
            yield from _rights(connection, row["principal"], row["group"], row["read"], row["write"])


def neighbour_commands(connection: list[str], name: str) -> Iterator[list[str]]:
    """The rights of a neighbouring municipality's ingest service, whose principal is ``User:<name>``."""
    (row,) = (row for row in _rows("acls.json") if row["principal"] == NEIGHBOUR)
    yield from _rights(connection, f"User:{name}", f"{name}*", row["read"], row["write"])


def topics_job_commands(connection: list[str], principal: str) -> Iterator[list[str]]:
    """The rights of the job that creates the topics: ``python -m kommunepuls_chassis.topics``."""
    add = ["kafka-acls.sh", *connection, "--add", "--force", "--allow-principal", principal]
    yield [*add, "--operation", "Create", "--cluster"]
    yield [*add, "--operation", "Describe", "--topic", "*"]


def _rights(
    connection: list[str], principal: str, group: str, read: list[str], write: list[str]
) -> Iterator[list[str]]:
    add = ["kafka-acls.sh", *connection, "--add", "--force", "--allow-principal", principal]
    # Read and Write bring Describe with them; Write on a topic is all that an idempotent producer needs (KIP-679).
    for operation, topics in (("Read", read), ("Write", write)):
        if topics:
            yield [*add, "--operation", operation, *(part for topic in topics for part in ("--topic", topic))]
    yield [
        *add, "--operation", "Read", "--group", group.removesuffix("*"), "--resource-pattern-type", "prefixed",
    ]  # fmt: skip


def _rows(name: str) -> list[dict]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def _neighbour_name(text: str) -> str:
    services = {row["principal"].removeprefix("User:") for row in _rows("acls.json")}
    if not text.replace("-", "").isalnum() or any(text.startswith(name) for name in services):
        raise argparse.ArgumentTypeError(
            "letters, digits and hyphens, not beginning with the name of a service: vestby-ingest"
        )
    return text


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Commands for Kafka's own tools, one a line.")
    parser.add_argument("what", choices=["topics", "acls", "topics-job", "neighbour"])
    parser.add_argument("--bootstrap", required=True, help="brokers as host:port, comma separated")
    parser.add_argument("--command-config", help="properties file by which the tools sign in")
    parser.add_argument("--replication", type=int, default=3, help="copies of a topic that is created")
    parser.add_argument("--principal", default="User:topics", help="of the job that creates topics")
    parser.add_argument("--name", type=_neighbour_name, help="of the neighbour's principal")
    given = parser.parse_args()
    connection = ["--bootstrap-server", given.bootstrap]
    if given.command_config:
        connection += ["--command-config", given.command_config]
    if given.what == "neighbour" and not given.name:
        parser.error("neighbour needs --name")
    commands = {
        "topics": lambda: topic_commands(connection, given.replication),
        "acls": lambda: acl_commands(connection),
        "topics-job": lambda: topics_job_commands(connection, given.principal),
        "neighbour": lambda: neighbour_commands(connection, given.name),
    }[given.what]()
    for command in commands:
        print(shlex.join(command))
    return 0


if __name__ == "__main__":
    sys.exit(main())
