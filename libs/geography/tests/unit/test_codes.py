import json

import pytest
from kommunepuls_geography import GeographyError, current_area_ids, current_code, former_codes, same_place
from kommunepuls_geography.codes import municipality_history


@pytest.mark.parametrize(
    ("code", "current"),
    [
        ("0710", ["3907"]),
        ("3804", ["3907"]),
        ("3907", ["3907"]),
        ("0706", ["3907"]),
        ("0720", ["3907"]),
        (301, ["0301"]),
        ("301", ["0301"]),
        ("NO-0710", ["3907"]),
        ("1601", ["5001"]),
        ("1567", ["5061"]),
        ("0125", ["3118"]),
        ("1507", ["1508", "1580"]),
        ("1534", ["1580"]),
        ("1504", ["1508"]),
        ("1850", ["1806", "1875"]),
        ("1613", ["5055", "5056", "5059"]),
        ("9999", []),
    ],
)
def test_a_code_of_any_year_leads_to_those_of_today(code, current):
    assert current_code(code) == current


def test_the_same_place_is_known_across_renumberings():
    assert same_place("0710", "3804")
    assert same_place("3907", 710)
    assert same_place("1507", "1580")
    assert not same_place("1508", "1580")
    assert not same_place("3907", "3905")
    assert not same_place("9998", "9999")
    assert same_place("9999", "9999")


def test_a_country_without_history_keeps_its_codes():
    assert current_code("1761", "SE") == ["1761"]
    assert same_place("SE-1761", "1761", "SE")


def test_former_codes_are_all_that_led_here():
    assert former_codes("3907") == ["0706", "0710", "0719", "0720", "3804"]


def test_area_ids_follow_their_municipality():
    assert current_area_ids("NO-0710/breidablikk") == ["NO-3907/breidablikk"]
    assert current_area_ids("NO-1507") == ["NO-1508", "NO-1580"]
    assert current_area_ids("NO-1507/x") == ["NO-1507/x"]
    assert current_area_ids("region") == ["region"]


@pytest.mark.parametrize("wrong", ["", "abcd", "39071", True, -1])
def test_what_is_no_code_is_refused(wrong):
    with pytest.raises(GeographyError, match="is no municipality code"):
        current_code(wrong)


def test_every_change_ends_in_a_municipality_of_today():
    history = municipality_history("NO")
    assert history is not None
    assert len(history.current) == 357
    assert {last for new in history.became.values() for last in new} <= set(history.current)
    assert not set(history.became) & set(history.current)
    assert all(isinstance(code, str) and len(code) == 4 for code in (*history.current, *history.became))


def test_both_vintages_of_the_real_map_agree_with_the_history(real_areas):
    def names(file: str, name: str) -> dict[str, str]:
        features = json.loads((real_areas / file).read_text(encoding="utf-8"))["features"]
        return {f"{int(one['properties']['kommunenummer']):04d}": one["properties"][name] for one in features}

    old, new = names("no_kommuner_2020.geojson", "navn"), names("no_kommuner_2024.geojson", "kommunenavn")
    history = municipality_history("NO")
    assert history is not None
    assert set(history.current) == set(new)
    assert all(history.current[code] in new[code] for code in new)
    for code, name in old.items():
        current = current_code(code)
        assert current, f"{code} {name} leads nowhere"
        assert any(name == history.current[one] for one in current), f"{code} {name} became {current}"
