"""Town files: read, reread, and faults told with their line."""

from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import SourceConfig, TownFile, load_towns, parse_sources

GOOD = """\
code: NO-9901
name: Fjordvik
interests:
  skating: {nb: Skøyter, en: Skating}
sources:
  - id: nyheter
    type: rss
    url: https://fjordvik.example/rss
    interests: [municipal-news]
"""


class Feed(SourceConfig):
    url: str


def town_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "town.yaml"
    path.write_text(text)
    return path


def test_a_town_names_its_sources_across_all_municipalities(tmp_path: Path) -> None:
    file = TownFile(town_file(tmp_path, GOOD))
    (feed,) = parse_sources(file, {"rss": Feed})
    assert file.town.source_id(feed) == "NO-9901/nyheter"
    assert feed.url == "https://fjordvik.example/rss"
    assert file.town.organiser_of(feed).id == "NO-9901/kommune"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("code: NO-9901\nname: [", 2, "YAML"),
        ("- a\n- b\n", 1, "mapping"),
        ("name: Fjordvik\n", 1, "code"),
        ("code: 9901\nname: Fjordvik\n", 1, "code"),
        (GOOD + "colour: blue\n", 10, "not known here"),
        (GOOD.replace("id: nyheter", "id: Nyheter!"), 6, "sources.0.id"),
        (GOOD + "  - id: nyheter\n    type: ical\n", 10, "already"),
        (GOOD.replace("name: Fjordvik", "name: Fjordvik\ntimezone: 5\n"), 3, "timezone"),
    ],
)
def test_a_fault_names_its_line_and_what_is_expected(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(OperatorError) as fault:
        TownFile(town_file(tmp_path, text))
    assert f"town.yaml:{line}:" in str(fault.value)
    assert words in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_fault_in_an_adapters_own_field_names_its_line(tmp_path: Path) -> None:
    file = TownFile(town_file(tmp_path, GOOD.replace("url: https://fjordvik.example/rss", "url: 7")))
    with pytest.raises(OperatorError, match=r"town\.yaml:8: sources\.0\.url"):
        parse_sources(file, {"rss": Feed})


def test_a_changed_file_is_read_again_and_a_faulty_one_leaves_the_old_town(tmp_path: Path) -> None:
    path = town_file(tmp_path, GOOD)
    file = TownFile(path)
    assert not file.reload_if_changed()
    path.write_text(GOOD.replace("Fjordvik", "Nye Fjordvik"))
    assert file.reload_if_changed()
    assert file.town.name == "Nye Fjordvik"
    path.write_text("code: [")
    with pytest.raises(OperatorError):
        file.reload_if_changed()
    assert file.town.name == "Nye Fjordvik"
    assert not file.reload_if_changed(), "a fault is told once, not at every look"


def test_a_missing_setting_or_file_and_a_town_named_twice_are_one_line(tmp_path: Path) -> None:
    path = town_file(tmp_path, GOOD)
    for paths in ([], [tmp_path / "none.yaml"], [path, path]):
        with pytest.raises(OperatorError):
            load_towns(paths)


def test_an_adapters_own_default_holds_where_the_file_says_nothing(tmp_path: Path) -> None:
    class Slow(Feed):
        poll_seconds: float = 1800

    file = TownFile(town_file(tmp_path, GOOD))
    (feed,) = parse_sources(file, {"rss": Slow})
    assert feed.poll_seconds == 1800
