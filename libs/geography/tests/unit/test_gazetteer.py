import time

import pytest
from kommunepuls_geography import Gazetteer, Place, PlaceKind


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    streets = ["Fjordgata", "Kirkegata", "Storgata", "Sankt Olavs gate"]
    places = ["Vik", "Mo", "Sand", "Strand", "Håkonshall", "Malmö", "Midt-Telemark", "Moss", "Bø"]
    return Gazetteer(
        [
            Place("Breidablikk", PlaceKind.AREA, ("NO-3907/breidablikk",)),
            Place("Sentrum", PlaceKind.AREA, ("NO-3907/sentrum",)),
            Place("Breidablikk skole", PlaceKind.SCHOOL),
            *(Place(name, PlaceKind.STREET) for name in streets),
            *(Place(name) for name in places),
        ]
    )


def found(gazetteer: Gazetteer, text: str, language: str | None = None) -> list[tuple[str, str]]:
    mentions = gazetteer.find_mentions(text, language, minimum_confidence=0.5)
    return [(mention.text, mention.places[0].name) for mention in mentions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Brøyting på Breidablikk i dag", [("Breidablikk", "Breidablikk")]),
        ("Vi er Breidablikks beste lag", [("Breidablikks", "Breidablikk")]),
        ("Arbeid i Sentrum", [("Sentrum", "Sentrum")]),
        ("arbeid i sentrum", [("sentrum", "Sentrum")]),
        ("Stengt i Fjordgaten", [("Fjordgaten", "Fjordgata")]),
        ("Stengt i Kirkegaten og i Kirkegata", [("Kirkegaten", "Kirkegata"), ("Kirkegata", "Kirkegata")]),
        ("Avstängt på Storgatan", [("Storgatan", "Storgata")]),
        ("Kjør Sankt Olavs gate", [("Sankt Olavs gate", "Sankt Olavs gate")]),
        ("Møt opp på Breidablikkskolen", [("Breidablikkskolen", "Breidablikk skole")]),
        ("Konsert i Haakonshall", [("Haakonshall", "Håkonshall")]),
        ("Ferge til Malmø", [("Malmø", "Malmö")]),
        ("Møte i midt-telemark", [("midt-telemark", "Midt-Telemark")]),
        ("Møte i Midt Telemark", [("Midt Telemark", "Midt-Telemark")]),
        ("TILTAK - BRYGGE, BREIDABLIKK", [("BREIDABLIKK", "Breidablikk")]),
    ],
)
def test_a_name_is_found_in_its_forms(gazetteer, text, expected):
    assert found(gazetteer, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Brøyting i Breidablikkveien 7",
        "Sentrumsnær leilighet",
        "Møte i Bo",
        "Midt. Telemark er fint",
        "",
        "   ",
    ],
)
def test_a_name_inside_of_a_longer_word_or_across_sentences_is_none(gazetteer, text):
    assert found(gazetteer, text) == []


def test_a_street_of_that_name_is_found_when_it_is_known(gazetteer):
    known = Gazetteer([*gazetteer.places, Place("Breidablikkveien", PlaceKind.STREET)])
    assert found(known, "Brøyting i Breidablikkvegen") == [("Breidablikkvegen", "Breidablikkveien")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Huset har sand og vik", []),
        ("Sand brukes på veiene", []),
        ("Kjøp mer. Sand er billig", []),
        ("Han bor på Mo og hun i Vik", ["Mo", "Vik"]),
        ("Ferga går innom Sand tre ganger", ["Sand"]),
        ("NAUST I VIK MED SAND", ["VIK"]),
        ("Kari Vik vant prisen", []),
        ("Strand kommune melder", ["Strand"]),
        ("Folk bader på stranda", []),
    ],
)
def test_an_everyday_word_needs_a_capital_within_a_sentence_or_a_preposition(gazetteer, text, expected):
    assert [text for text, _ in found(gazetteer, text)] == expected


def test_a_place_can_say_itself_whether_its_name_is_an_everyday_word():
    plain = Gazetteer([Place("Vik", ordinary=False)])
    assert found(plain, "Vik er stengt") == [("Vik", "Vik")]
    everyday = Gazetteer([Place("Blåbær", ordinary=True)])
    assert found(everyday, "Blåbær er modne") == []


def test_of_overlapping_names_the_longest_stays(gazetteer):
    assert found(gazetteer, "Elever ved Breidablikk skole") == [("Breidablikk skole", "Breidablikk skole")]


def test_an_exact_name_goes_before_a_bent_one():
    both = Gazetteer([Place("Strandgata"), Place("Strandgaten")])
    assert found(both, "Stengt i Strandgaten") == [("Strandgaten", "Strandgaten")]


def test_offsets_cut_the_name_out_of_the_text(gazetteer):
    text = "🎉 Fest på Breidablikk, ved Fjordgata!"
    mentions = gazetteer.find_mentions(text)
    assert [text[one.start : one.end] for one in mentions] == ["Breidablikk", "Fjordgata"]
    assert mentions[0].area_ids == ("NO-3907/breidablikk",)


def test_the_language_picks_the_prepositions(gazetteer):
    assert found(gazetteer, "STENGT VID VIK", "sv") == [("VIK", "Vik")]
    assert found(gazetteer, "STENGT VID VIK", "nb") == []
    assert found(gazetteer, "STENGT VID VIK", "xx") == [("VIK", "Vik")]


def test_confidence_falls_with_what_speaks_against_a_name(gazetteer):
    sure = [
        gazetteer.find_mentions(text)[0].confidence
        for text in ("Vi er på Breidablikk", "Vi er i breidablikk", "se breidablikk nå")
    ]
    assert sure == sorted(sure, reverse=True)
    assert len(set(sure)) == 3


def test_a_name_of_several_places_gives_them_all():
    two = Gazetteer([Place("Nordby", area_ids=("a",)), Place("Nordby", area_ids=("b",))])
    [mention] = two.find_mentions("Vi bor på Nordby")
    assert mention.area_ids == ("a", "b")
    assert len(two.lookup("NORDBY")) == 2
    assert two.lookup("Sørby") == ()


@pytest.mark.parametrize("unit", ["Fjordgata Vik ", "midt ", "a", "midt-", "🎉", "<b>Vik</b>"])
def test_time_grows_with_the_text_alone(gazetteer, unit):
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        gazetteer.find_mentions(text)
        return time.process_time() - start

    # Eight times the text; were it squared, it would take 64 times as long.
    assert seconds(400_000) < 24 * seconds(50_000) + 0.2
