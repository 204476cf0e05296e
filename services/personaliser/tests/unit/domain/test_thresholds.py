"""Thresholds held to a state machine for each, written out."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import SensorThreshold
from kommunepuls_matching.testing import NOW, TOWN
from personaliser.domain.thresholds import Observation, ThresholdIndex, ThresholdsSet, replayed
from personaliser_making import threshold

SENSOR = f"{TOWN}/water/storoya"


def observed(value: float, minute: int) -> Observation:
    return Observation(SENSOR, "water-temperature", NOW + timedelta(minutes=minute), value)


def passes(values: list[float], **fields: object) -> list[int]:
    index = ThresholdIndex()
    index.put("s-1", [SensorThreshold.model_validate(threshold(**fields))])
    return [n for n, value in enumerate(values) if index.read(observed(value, n))]


def test_it_fires_when_the_value_reaches_it_and_not_again_until_it_went_back() -> None:
    assert passes([19, 20, 21, 19.6, 20.5, 19.4, 20.0]) == [1, 6]


def test_a_falling_threshold_is_the_mirror_image() -> None:
    assert passes([21, 20, 19, 20.4, 19.5, 20.6, 20.0], direction="falling") == [1, 6]


def test_the_first_reading_only_says_where_the_value_is() -> None:
    assert passes([25, 26, 19, 20]) == [3]


def test_one_set_while_the_value_is_below_fires_at_the_next_reading() -> None:
    index = ThresholdIndex()
    index.read(observed(19.8, 0))
    index.put("s-1", [SensorThreshold.model_validate(threshold())])
    assert [one.subscriber for one in index.read(observed(20.0, 1))] == ["s-1"]


def test_one_set_while_the_value_is_above_waits_for_it_to_go_back() -> None:
    index = ThresholdIndex()
    index.read(observed(21.0, 0))
    index.put("s-1", [SensorThreshold.model_validate(threshold())])
    assert [bool(index.read(observed(value, n + 1))) for n, value in enumerate([22, 19.7, 20.1, 19.4, 20])] == [
        False, False, False, False, True,
    ]  # fmt: skip


def test_an_old_or_repeated_reading_changes_nothing() -> None:
    index = ThresholdIndex()
    index.put("s-1", [SensorThreshold.model_validate(threshold())])
    index.read(observed(19, 5))
    assert index.read(observed(25, 4)) == []
    assert index.read(observed(25, 5)) == []
    assert len(index.read(observed(25, 6))) == 1


def test_the_erased_are_not_woken() -> None:
    index = ThresholdIndex()
    for name in ("s-1", "s-2"):
        index.put(name, [SensorThreshold.model_validate(threshold())])
    index.read(observed(19, 0))
    index.erase("s-1")
    assert [one.subscriber for one in index.read(observed(21, 1))] == ["s-2"]


values = st.integers(0, 8).map(lambda n: n / 2)
thresholds = st.builds(
    lambda level, hysteresis, direction: SensorThreshold.model_validate(
        threshold(level, hysteresis=hysteresis, direction=direction)
    ),
    values,
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(["rising", "falling"]),
)
steps = st.lists(
    st.one_of(values, st.tuples(st.sampled_from(["s-1", "s-2", "s-3"]), st.lists(thresholds, max_size=2))),
    max_size=30,
)


class Plain:
    """One threshold, watched by itself."""

    def __init__(self, watched: SensorThreshold, value: float | None) -> None:
        self.watched, self.sign = watched, 1 if watched.direction == "rising" else -1
        self.armed: bool | None = None if value is None else self.signed(value) < self.signed(watched.value)

    def signed(self, value: float) -> float:
        return self.sign * value

    def fires(self, value: float) -> bool:
        reached = self.signed(value) >= self.signed(self.watched.value)
        if self.armed is None:
            self.armed = not reached
            return False
        fires = self.armed and reached
        if reached:
            self.armed = False
        elif self.signed(value) < self.signed(self.watched.value) - self.watched.hysteresis:
            self.armed = True
        return fires


@settings(max_examples=300, deadline=None)
@given(steps)
def test_the_sorted_thresholds_fire_as_each_would_by_itself_and_a_replay_leaves_them_the_same(
    steps: list[float | tuple[str, list[SensorThreshold]]],
) -> None:
    index = ThresholdIndex()
    plain: dict[str, list[Plain]] = {}
    newest: dict[str, ThresholdsSet] = {}
    history: list[Observation] = []
    value: float | None = None
    for minute, step in enumerate(steps):
        if isinstance(step, tuple):
            subscriber, chosen = step
            chosen = [one.model_copy(update={"id": f"t-{n}"}) for n, one in enumerate(chosen)]
            index.put(subscriber, chosen)
            plain[subscriber] = [Plain(one, value) for one in chosen]
            newest[subscriber] = ThresholdsSet(NOW + timedelta(minutes=minute), subscriber, tuple(chosen))
            continue
        value = step
        history.append(observed(step, minute))
        expected = [
            (name, one.watched.id) for name in sorted(plain) for one in plain[name] if one.fires(value)
        ]
        fired = [(one.subscriber, one.threshold.id) for one in index.read(history[-1])]
        assert fired == expected
    again = replayed(newest.values(), history)
    assert again.armed() == index.armed()
    if value is not None:
        assert index.armed() == {(n, one.watched.id): one.armed for n in plain for one in plain[n]}
