"""Creating the topics of the registry on a cluster: ``python -m kommunepuls_chassis.topics``."""

import asyncio
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code
from kommunepuls_events import TOPICS
from kommunepuls_events.topics import dead_letter_topics

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.settings import ServiceSettings, load_settings


async def ensure_topics(settings: ServiceSettings, *, replication: int = 1) -> list[str]:
    """Create the topics that are not there yet; returns their names.

    Raises:
        OperatorError: if no broker answers or a topic is refused.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
    except KafkaConnectionError:
        await admin.close()
        raise OperatorError(
            f"no Kafka broker answers at {settings.kafka_bootstrap} (KP_KAFKA_BOOTSTRAP)"
        ) from None
    try:
        there = set(await admin.list_topics())
        wanted = [topic for topic in (*TOPICS, *dead_letter_topics()) if topic.name not in there]
        if wanted:
            answer = await admin.create_topics(
                [
                    NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.config)
                    for topic in wanted
                ]
            )
            for name, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise OperatorError(f"Kafka refuses topic {name}: {for_code(code).__name__}")
        return [topic.name for topic in wanted]
    finally:
        await admin.close()


class TopicSettings(ServiceSettings):
    """Settings of the command."""

    kafka_replication: int = 1


def main() -> int:
    """Entry point."""
    try:
        settings = load_settings(TopicSettings)
        created = asyncio.run(ensure_topics(settings, replication=settings.kafka_replication))
    except OperatorError as error:
        print(f"topics: {error}", file=sys.stderr)
        return 2
    print(f"created {len(created)} topics" + (f": {', '.join(created)}" if created else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
