"""All names here are made up."""

import pytest
from ingest_permits.domain.privacy import MASK, for_readers, without_names


@pytest.mark.parametrize(
    "title",
    [
        "Ferdigattest - garasje - Kirkevegen 5 - Ola Nordmann",
        "Ferdigattest - garasje - Kirkevegen 5 - Kari Oline Nordmann",
        "Ferdigattest - garasje - Kirkevegen 5 - Kari og Ola Nordmann",
        "Ferdigattest - garasje - Kirkevegen 5 - Ola B. Nordmann",
        "Ferdigattest - garasje - Kirkevegen 5 B - Ola Bakken",
        "Ferdigattest - garasje - Kirkevegen 5 - Xerxa Strandli",
        "Ferdigattest - garasje - Ola Nordmann - dispensasjon fra plan",
        "TILLATELSE TIL TILTAK - GARASJE KIRKEVEGEN 5 - OLA B. NORDMANN",
        "TILLATELSE TIL TILTAK - GARASJE KIRKEVEGEN 5 - KARI OG OLA NORDMANN",
        "Rammetillatelse, tiltakshaver: Kjartan Fjellanger",
        "Utbetaling til Ola Nordmann",
        "Søknad fra kari.nordmann@example.org",
        "Opplysninger om 01017012345",
    ],
)
def test_names_of_persons_are_masked(title: str) -> None:
    masked = without_names(title)
    assert MASK in masked
    for word in ("Nordmann", "NORDMANN", "Bakken", "Strandli", "Fjellanger", "nordmann@", "01017012345"):
        assert word not in masked
    assert "Ola" not in masked.split()
    assert "Kari" not in masked.split()


@pytest.mark.parametrize(
    "title",
    [
        "Ferdigattest - garasje - Kirkevegen 5 - Fjordvik Bygg AS",
        "Ferdigattest - garasje - Kirkevegen 5 - Ola Nordmann AS",
        "Ferdigattest - lager - Industrivegen 1 - Fjordvik kommune",
        "Ferdigattest - skole - Statens vegvesen",
        "Ferdigattest - bolig - Olav Tryggvasons gate 5",
        "Ferdigattest - bolig - Hans Nordmanns vei 12",
        "Ferdigattest - garasje - Øvre Kirkebakken",
        "Rammetillatelse - fritidsbolig - Nordre Strand",
        "TILLATELSE TIL TILTAK - TILBYGG BOLIG",
        "TILLATELSE TIL TILTAK - BOLIG MED GARASJE",
        "Detaljregulering for felt S11 - Fjordvik sentrum",
    ],
)
def test_firms_authorities_streets_and_places_stay(title: str) -> None:
    assert without_names(title) == title


def test_only_known_given_names_go_in_a_table() -> None:
    assert (
        without_names("Alteration: 61 JANE STREET", language="en", journal=False)
        == "Alteration: 61 JANE STREET"
    )
    assert without_names("STRUCTURAL PEER REVIEW, AS PER PLANS", language="en", journal=False).endswith(
        "PER PLANS"
    )
    assert MASK in without_names("Fence for William Fictional", language="en", journal=False)


def test_masking_twice_changes_nothing() -> None:
    once = without_names("Ferdigattest - Kirkevegen 5 - Kari og Ola Nordmann")
    assert without_names(once) == once


def test_a_reader_is_not_shown_a_part_that_is_nothing_but_a_mask() -> None:
    assert for_readers(f"Ferdigattest - Kirkevegen 5 - {MASK}") == "Ferdigattest - Kirkevegen 5"
    assert for_readers(MASK) == MASK


def test_an_endless_title_is_read_in_time_proportional_to_it() -> None:
    for text in (
        "Ola " * 20_000,
        "x" * 500_000,
        "1" * 100_000,
        "a." * 100_000,
        "Ola og " * 10_000,
        "- " * 50_000,
    ):
        assert without_names(text)
