import json

import pytest
from ingest_facebook.domain.usage import usage_of


def app(percent: float) -> dict:
    return {"X-App-Usage": json.dumps({"call_count": percent, "total_time": 1, "total_cputime": 2})}


@pytest.mark.parametrize(
    ("percent", "factor", "pauses"),
    [(0, 1, False), (75, 1, False), (85, 2.5, False), (95, 4, True), (120, 4, True)],
)
def test_polling_slows_down_from_75_per_cent_and_pauses_at_95(
    percent: float, factor: float, pauses: bool
) -> None:
    usage = usage_of(app(percent))

    assert usage.factor == pytest.approx(factor)
    assert (usage.pause_seconds > 0) is pauses


def test_the_time_to_regain_access_is_in_minutes() -> None:
    row = {"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 7}
    usage = usage_of({"x-business-use-case-usage": json.dumps({"100": [row], "200": [{"call_count": 3}]})})

    assert (usage.percent, usage.pause_seconds) == (100, 420)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"call_count": "many"}', '{"call_count": -5}', "[" * 100_000]
)
def test_a_header_that_cannot_be_read_slows_nothing_down(text: str) -> None:
    assert usage_of({"x-app-usage": text, "x-business-use-case-usage": text}).factor == 1
