"""The commands for Kafka's own tools against the registry."""

import shlex
import subprocess
import sys

import pytest
from kommunepuls_events import TOPICS
from kommunepuls_events.topics import dead_letter_topics

TOPIC_NAMES = {topic.name for topic in (*TOPICS, *dead_letter_topics())}


@pytest.fixture
def commands(root):
    def run(*arguments: str) -> list[list[str]]:
        done = subprocess.run(
            [
                sys.executable,
                "-S",
                str(root / "deploy/kafka/commands.py"),
                *arguments,
                "--bootstrap",
                "kafka:9093",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        if done.returncode:
            raise ValueError(done.stderr)
        return [shlex.split(line) for line in done.stdout.splitlines()]

    return run


def _after(command: list[str], option: str) -> list[str]:
    return [command[index + 1] for index, part in enumerate(command) if part == option]


def test_every_topic_is_created_and_given_its_settings(commands):
    rows = commands("topics", "--replication", "1", "--command-config", "admin.properties")
    created = {_after(row, "--topic")[0]: row for row in rows if "--create" in row}
    altered = {_after(row, "--entity-name")[0]: row for row in rows if "--alter" in row}
    assert set(created) == set(altered) == TOPIC_NAMES
    for topic in TOPICS:
        assert _after(created[topic.name], "--partitions") == [str(topic.partitions)]
        given = dict(part.split("=", 1) for part in _after(altered[topic.name], "--add-config")[0].split(","))
        assert given == topic.config
    assert all(_after(row, "--command-config") == ["admin.properties"] for row in rows)


def test_each_service_gets_what_the_registry_grants_it(commands, registry_services):
    granted: dict[tuple[str, str], set[str]] = {}
    groups = {}
    for row in commands("acls"):
        (principal,), (operation,) = _after(row, "--allow-principal"), _after(row, "--operation")
        granted.setdefault((principal, operation), set()).update(_after(row, "--topic"))
        if "--group" in row:
            assert _after(row, "--resource-pattern-type") == ["prefixed"]
            groups[principal] = _after(row, "--group")[0]
    assert groups == {f"User:{name}": name for name in registry_services}
    for topic in TOPICS:
        for name in set(topic.producers) - {"*"}:
            assert topic.name in granted[f"User:{name}", "Write"]
        for name in set(topic.consumers) - {"*"}:
            assert topic.name in granted[f"User:{name}", "Read"]
    assert set().union(*granted.values()) <= TOPIC_NAMES


def test_a_neighbour_gets_its_own_name_may_write_its_topics_and_reads_the_rules_alone(commands):
    rows = commands("neighbour", "--name", "vestby-ingest")
    assert {_after(row, "--allow-principal")[0] for row in rows} == {"User:vestby-ingest"}
    read = {topic for row in rows if "Read" in row and "--topic" in row for topic in _after(row, "--topic")}
    assert read == {topic.name for topic in TOPICS if "*" in topic.consumers} == {"content-rules.v1"}
    written = {topic for row in rows if "Write" in row for topic in _after(row, "--topic")}
    assert written == {topic.name for topic in TOPICS if "*" in topic.producers}


@pytest.mark.parametrize("name", ["notifier", "notifier-vestby", "x; rm -rf", "", "*"])
def test_a_neighbour_cannot_take_the_name_or_the_groups_of_a_service(commands, name):
    with pytest.raises(ValueError, match=r"--name"):
        commands("neighbour", "--name", name)
