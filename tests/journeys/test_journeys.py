"""Items followed from an upstream's answer to residents, every service its own process.

Each journey is told twice: with an answer that was recorded of a real upstream, and with one that we made up.
"""

import journeys_of_feeds as feeds
import pytest
from journey_world import World

VARIANTS = ("recorded", "made-up")


@pytest.mark.parametrize("variant", VARIANTS)
async def test_a_severe_warning_reaches_everybody_in_its_polygon_and_nobody_outside(
    world: World, variant: str
) -> None:
    warning = feeds.recorded_warning() if variant == "recorded" else feeds.made_up_warning()
    await feeds.a_warning(world, variant, warning)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_an_exercise_reaches_nobody(world: World, variant: str) -> None:
    exercise = feeds.recorded_exercise() if variant == "recorded" else feeds.made_up_exercise()
    await feeds.an_exercise(world, variant, exercise)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_an_event_of_a_calendar_is_told_then_moved_then_cancelled(world: World, variant: str) -> None:
    calendar = feeds.recorded_calendar() if variant == "recorded" else feeds.made_up_calendar()
    await feeds.a_calendar_event(world, variant, calendar)
