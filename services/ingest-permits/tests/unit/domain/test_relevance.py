import pytest
from ingest_permits.domain.relevance import BUILDING, PLANNING, interests_of
from ingest_permits.domain.titles import take_apart


@pytest.mark.parametrize(
    ("title", "interests"),
    [
        ("12/34 Ferdigattest - garasje", (BUILDING,)),
        ("Nabovarsel - fasadeendring", (BUILDING,)),
        ("Ansökan om bygglov för garage", (BUILDING,)),
        ("Plan 202504 Varsel om oppstart", (PLANNING,)),
        ("Melding om vedtak - reguleringsplan for Sjøvegen", (PLANNING,)),
        ("Innvilget søknad om parkeringstillatelse for forflytningshemmede", ()),
        ("Avslag på søknad om startlån og tilskudd", ()),
        ("Søknad om kommunal bolig", ()),
        ("12/34 Søknad om skjenkebevilling - Kirkevegen 5", ()),
        ("Søknad om barnehageplass", ()),
        ("Søknad - eiendomsforvalter - Bygg- og eiendom", ()),
    ],
)
def test_a_journal_is_filtered_to_building_and_planning(title: str, interests: tuple[str, ...]) -> None:
    assert interests_of(take_apart(title)) == interests


def test_an_archive_of_building_cases_alone_needs_no_filter() -> None:
    assert interests_of(take_apart("Vedtak"), assumed=True) == (BUILDING,)


def test_the_title_of_the_case_tells_what_its_document_does_not() -> None:
    assert interests_of(take_apart("Vedtak"), case_title="Kirkevegen 5 - tilbygg") == (BUILDING,)
    assert interests_of(take_apart("Vedtak"), case_title="Detaljregulering for Sjøvegen") == (PLANNING,)
