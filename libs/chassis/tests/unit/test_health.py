"""What a process says of itself."""

from kommunepuls_chassis.health import Health


def test_a_process_that_has_not_set_up_anything_yet_is_live_but_not_ready() -> None:
    health = Health()
    assert health.live
    assert not health.ready


def test_a_process_is_ready_when_all_its_components_are() -> None:
    health = Health()
    consumer, sources = health.component("consumer"), health.component("sources", stale_after=0)
    consumer.beat(ready=True)
    assert not health.ready
    sources.beat(ready=True)
    assert health.ready
    consumer.down()
    assert not health.ready


def test_a_loop_that_no_longer_goes_round_is_neither_live_nor_ready() -> None:
    health = Health()
    health.component("consumer", stale_after=0.0001).beat(ready=True)
    while health.live:
        pass
    assert not health.ready
