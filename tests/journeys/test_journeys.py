"""Items followed from an upstream's answer to residents, every service its own process.

Each journey is told twice: with an answer that was recorded of a real upstream, and with one that we made up.
"""

import journeys_of_feeds as feeds
import journeys_of_organisers as organisers
import journeys_of_pages as pages
import journeys_of_permits as permits
import journeys_of_residents as residents
import journeys_of_sensors as sensors
import pytest
from journey_world import World

both = pytest.mark.parametrize("variant", ["recorded", "made-up"])


@both
async def test_a_clubs_post_is_told_then_edited_then_deleted(world: World, variant: str) -> None:
    posts = pages.recorded_posts() if variant == "recorded" else pages.made_up_posts()
    await pages.a_clubs_post(world.apart(), variant, posts)


@both
async def test_a_permit_is_told_300_metres_away_and_not_3_kilometres_away(world: World, variant: str) -> None:
    permit = permits.recorded_permit() if variant == "recorded" else permits.made_up_permit()
    await permits.a_permit(world.apart(), variant, permit)


@both
async def test_a_ploughed_area_is_told_to_who_follows_it(world: World, variant: str) -> None:
    ploughing = sensors.recorded_ploughing() if variant == "recorded" else sensors.made_up_ploughing()
    await sensors.a_ploughed_area(world.apart(), variant, ploughing)


@both
async def test_a_bathing_temperature_is_told_over_each_residents_own_threshold(
    world: World, variant: str
) -> None:
    uplink = sensors.recorded_uplink() if variant == "recorded" else sensors.made_up_uplink()
    await sensors.a_bathing_temperature(world.apart(), variant, uplink)


@both
async def test_a_severe_warning_reaches_everybody_in_its_polygon_and_nobody_outside(
    world: World, variant: str
) -> None:
    warning = feeds.recorded_warning() if variant == "recorded" else feeds.made_up_warning()
    await feeds.a_warning(world.apart(), variant, warning)


@both
async def test_an_exercise_reaches_nobody(world: World, variant: str) -> None:
    exercise = feeds.recorded_exercise() if variant == "recorded" else feeds.made_up_exercise()
    await feeds.an_exercise(world.apart(), variant, exercise)


@both
async def test_an_event_of_a_calendar_is_told_then_moved_then_cancelled(world: World, variant: str) -> None:
    calendar = feeds.recorded_calendar() if variant == "recorded" else feeds.made_up_calendar()
    await feeds.a_calendar_event(world.apart(), variant, calendar)


async def test_one_click_in_a_mail_stops_mails_and_can_be_undone(world: World) -> None:
    await residents.an_unsubscription(world.apart())


async def test_who_signs_up_by_the_mailed_link_is_told_what_they_chose(world: World) -> None:
    await residents.a_sign_up(world.apart())


async def test_a_clubs_event_is_approved_told_to_its_followers_and_moved(world: World) -> None:
    await organisers.a_clubs_event(world.apart())


async def test_a_message_to_somebody_whom_it_does_not_concern_would_be_noticed(world: World) -> None:
    world = world.apart()
    resident = await world.resident("wrongly-told")
    item = await world.marker(behind="proof")
    with pytest.raises(AssertionError, match="wrongly-told was told 1 times by mail and 1 by push, not 0"):
        await world.nobody_but({}, item, (resident,))
