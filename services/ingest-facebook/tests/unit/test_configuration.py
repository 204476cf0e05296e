from pathlib import Path

import pytest
from ingest_facebook.domain.configuration import MODELS, FacebookEventsConfig, FacebookPageConfig
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import TownFile, parse_sources

TOWN = """\
code: NO-9901
name: Fjordvik
sources:
  - id: facebook-kommune
    type: facebook-page
    page: "100"
    token_env: KP_TOKEN_FACEBOOK_KOMMUNE
    rules:
      - words: [nabotreff]
        interests: [culture]
  - id: kulturhus
    type: facebook-events
    page: fjordvik.kulturhus
  - id: nyheter
    type: rss
"""


def write(folder: Path, text: str) -> TownFile:
    path = folder / "town.yaml"
    path.write_text(text, encoding="utf-8")
    return TownFile(path)


def test_a_town_file_lists_pages_with_their_own_rules(tmp_path: Path) -> None:
    page, events = parse_sources(write(tmp_path, TOWN), MODELS)

    assert isinstance(page, FacebookPageConfig)
    assert page.rules[0].words == ("nabotreff",)
    assert isinstance(events, FacebookEventsConfig)
    assert events.page == "fjordvik.kulturhus"


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ('page: "100"', "page: https://www.facebook.com/fjordvik", 6, "page"),
        ("words: [nabotreff]", "words: []", 9, "words"),
        ("interests: [culture]", "kind: party", 10, "kind"),
    ],
)
def test_a_faulty_source_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, field: str
) -> None:
    with pytest.raises(OperatorError) as error:
        parse_sources(write(tmp_path, TOWN.replace(old, new)), MODELS)
    assert f"town.yaml:{line}:" in str(error.value)
    assert field in str(error.value)
