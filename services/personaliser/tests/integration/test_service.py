"""Profiles, items and readings over a real broker."""

import json
from datetime import timedelta

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import OfferV1, Reason, ReasonType, event_for
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import CONTENT, OFFERS, PROFILES
from kommunepuls_matching.testing import NOW, TOWN, area, item, place, point, profile
from personaliser_making import reading, threshold
from personaliser_running import Told, everything_else, in_this_loop, settings_of
from structlog.testing import capture_logs

pytestmark = pytest.mark.integration
HARBOUR = f"{TOWN}/west/harbour"


async def test_a_profile_acknowledged_before_an_item_gets_it_with_the_reasons(
    variables: dict[str, str],
) -> None:
    async with everything_else(variables) as (producer, matches), in_this_loop(settings_of(variables)):
        for number in range(20):
            await producer.publish(profile(f"s-{number}", areas=[HARBOUR], interests=["music"]))
            await producer.publish(item(str(number), areas=[HARBOUR], interests=["music"]))
            found = await _all(matches, str(number), number + 1)
            assert set(found) == {f"s-{one}" for one in range(number + 1)}
        assert [(one.type, one.area or one.interest) for one in found["s-0"]] == [
            (ReasonType.AREA, HARBOUR),
            (ReasonType.INTEREST, "music"),
        ]


async def test_a_change_counts_for_the_next_item_and_a_tombstone_erases(variables: dict[str, str]) -> None:
    organised = {"organiser": {"id": "o-1", "name": "A club"}}
    # Residents enough that each partition has some: when all of them are told, all partitions have answered.
    others = {f"other-{number}" for number in range(40)}
    async with everything_else(variables) as (producer, matches), in_this_loop(settings_of(variables)):
        await producer.publish(*(profile(one, organisers=["o-1"]) for one in ("s-1", "s-2", "s-3", *others)))
        await producer.publish(item("a", **organised))
        assert set(await _all(matches, "a", 43)) == others | {"s-1", "s-2", "s-3"}
        await producer.publish(profile("s-1", revision=2, organisers=["o-2"]))
        await producer.tombstone(PROFILES, "s-2")
        await producer.publish(item("b", **organised))
        assert set(await _all(matches, "b", 41)) == others | {"s-3"}
        await producer.publish(profile("s-2", organisers=["o-1"]))
        await producer.publish(item("c", **organised))
        assert set(await _all(matches, "c", 42)) == others | {"s-2", "s-3"}


async def _all(matches: Told, native: str, count: int) -> dict[str, tuple[Reason, ...]]:
    """Who was matched, once so many were."""

    async def probe() -> dict[str, tuple[Reason, ...]] | None:
        await matches.read()
        found = matches.reasons(f"{TOWN}/kommunen/{native}")
        return found if len(found) >= count else None

    return await eventually(probe, what=f"{count} recipients of {native}")


async def test_an_item_with_a_position_finds_places_near_and_gets_its_areas(
    variables: dict[str, str],
) -> None:
    async with everything_else(variables) as (producer, matches), in_this_loop(settings_of(variables)):
        await producer.publish(
            profile("near", interests=["planning"], places=[place("home", 10.052, 59.05)]),
            profile("far", interests=["planning"], places=[place("home", 10.15, 59.05)]),
        )
        await producer.publish(item("a", interests=["planning"], geometry=point(10.05, 59.05)))
        found = await matches.of(f"{TOWN}/kommunen/a")
        assert set(found) == {"near"}
        assert 110 < found["near"][0].distance_metres < 118
        assert matches.matches[0].item.areas == (HARBOUR,)


async def test_bad_records_are_put_aside_with_their_reason_and_block_nothing(
    variables: dict[str, str],
) -> None:
    async with everything_else(variables) as (producer, matches), in_this_loop(settings_of(variables)):
        await producer.publish(profile("s-1", organisers=["o-1"]))
        good = item("good", organiser={"id": "o-1", "name": "A club"})
        truncated = event_for(OfferV1(item=good, offered_at=NOW), producer="test")
        empty = event_for(
            OfferV1.model_construct(item=None, reading=reading(1.0), offered_at=NOW), producer="test"
        )
        for partition in range(OFFERS.partitions):
            await producer.publish_raw(OFFERS.name, "", b"\xff\x00 no event", (), partition=partition)
            await producer.publish_raw(
                OFFERS.name, "", truncated.value()[:90], truncated.headers(), partition=partition
            )
            await producer.publish_raw(
                OFFERS.name,
                "",
                json.dumps({"offered_at": NOW.isoformat()}).encode(),
                empty.headers(),
                partition=partition,
            )
        await producer.publish_raw(CONTENT.name, good.id, truncated.value(), truncated.headers())
        await producer.publish_raw(
            CONTENT.name, "another key", good.to_json(), event_for(good, producer="t").headers()
        )
        await producer.publish_raw(PROFILES.name, "s-1", b"{", ())
        await producer.publish(good)
        assert set(await matches.of(good.id)) == {"s-1"}
        reasons = await _dead_letters(variables, f"{OFFERS.name}.dead", 3 * OFFERS.partitions)
        assert sorted(set(reasons)) == ["empty-offer", "invalid-json", "missing-header"]
        assert sorted(await _dead_letters(variables, f"{CONTENT.name}.dead", 2)) == [
            "wrong-key",
            "wrong-topic",
        ]
        assert await _dead_letters(variables, f"{PROFILES.name}.dead", 1) == ["missing-header"]


async def _dead_letters(variables: dict[str, str], topic: str, count: int) -> list[str]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=variables["KP_KAFKA_BOOTSTRAP"], auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[str] = []

    async def probe() -> bool:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            found.extend(DeadLetter.from_headers(record.headers).reason for record in records)
        return len(found) >= count

    try:
        await eventually(probe, what=f"{count} dead letters in {topic}")
    finally:
        await consumer.stop()
    return found


async def test_a_threshold_passed_tells_those_who_set_it(variables: dict[str, str]) -> None:
    async with everything_else(variables) as (producer, matches), in_this_loop(settings_of(variables)):
        await producer.publish(
            profile("s-20", sensor_thresholds=[threshold(20.0)]),
            profile("s-22", sensor_thresholds=[threshold(22.0)]),
            profile("muted", sensor_thresholds=[threshold(20.0)], muted={"sources": [f"{TOWN}/water"]}),
        )
        for minute, value in enumerate([19.0, 19.5, 20.1, 20.3]):
            await producer.publish(reading(value, NOW + timedelta(minutes=minute)))
        found = await matches.of(f"{TOWN}/water/threshold/storoya/water-temperature")
        assert set(found) == {"s-20"}
        assert (found["s-20"][0].threshold, found["s-20"][0].value) == (20.0, 20.1)
        await producer.publish(reading(22.5, NOW + timedelta(minutes=9)))

        async def last() -> bool:
            await matches.read()
            return "s-22" in matches.reasons(f"{TOWN}/water/threshold/storoya/water-temperature")

        await eventually(last, what="the second threshold")
        told_of = [
            (subscriber, match.item.title) for match in matches.matches for subscriber, _ in match.each()
        ]
        assert told_of == [
            ("s-20", "Storøya: 20,1 °C i vannet"),
            ("s-22", "Storøya: 22,5 °C i vannet"),
        ]


async def test_new_areas_in_a_town_file_are_known_without_a_restart(
    variables: dict[str, str], tmp_path
) -> None:
    async with (
        everything_else(variables) as (producer, matches),
        in_this_loop(settings_of(variables)) as service,
    ):
        await producer.publish(
            profile("s-1", interests=["music"], places=[place("home", 10.55, 59.15)]),
            profile("sentinel", organisers=["o-1"]),
        )
        offered = {
            "areas": ["NO-9902/new"],
            "interests": ["music"],
            "organiser": {"id": "o-1", "name": "A club"},
        }
        await producer.publish(item("before", **offered))
        assert set(await matches.of(f"{TOWN}/kommunen/before")) == {"sentinel"}
        file = tmp_path / "areas.geojson"
        areas = json.loads(file.read_text())
        areas["features"].append(area("NO-9902/new", "NO-9902", 10.5, 59.1, 10.6, 59.2))
        with capture_logs() as logs:
            file.write_text("{ broken")
            await eventually(lambda: [one for one in logs if one["event"] == "areas_not_reloaded"])
        assert len(service.areas.geography().areas) == 6
        file.write_text(json.dumps(areas))
        await eventually(lambda: len(service.areas.geography().areas) == 7, what="the new area")

        async def probe() -> bool:
            native = f"after-{len(matches.matches)}"
            await producer.publish(item(native, **offered))
            return "s-1" in await matches.of(f"{TOWN}/kommunen/{native}")

        await eventually(probe, what="a match by the new area")


async def test_the_trace_goes_on_from_item_to_match(variables: dict[str, str]) -> None:
    async with (
        everything_else(variables) as (producer, matches),
        in_this_loop(settings_of(variables)) as service,
    ):
        trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
        await producer.publish(profile("s-1", organisers=["o-1"]))
        offered = item("a", organiser={"id": "o-1", "name": "A club"})
        await producer.publish_events([event_for(offered, producer="test", traceparent=trace)])
        await matches.of(offered.id)
        assert matches.events[0].traceparent.split("-")[1] == "ab" * 16
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as client:
            assert (await client.get("/health/ready")).status_code == 200
            assert "kp_profiles_held" in (await client.get("/metrics")).text


async def test_unequal_numbers_of_partitions_are_one_clear_line(variables: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=variables["KP_KAFKA_BOOTSTRAP"])
    await admin.start()
    try:
        await admin.create_topics([NewTopic(PROFILES.name, 3, 1)])
    finally:
        await admin.close()
    async with everything_else(variables):
        with pytest.raises(OperatorError, match=r"profiles\.v1 has 3 partitions and offers\.v1 has 6"):
            async with in_this_loop(settings_of(variables)):
                pass
