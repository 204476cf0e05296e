from ingest_permits.domain.titles import take_apart


def test_property_numbers_in_front_are_taken_off() -> None:
    title = take_apart("58/62 Ferdigattest - bolig - Kirkevegen 5")
    assert title.text == "Ferdigattest - bolig - Kirkevegen 5"
    assert title.lead == "Ferdigattest"
    assert title.property_names == ("58/62",)


def test_several_properties_in_front_are_all_kept() -> None:
    assert take_apart("58/19 58/47 Rammetillatelse - naust").property_names == ("58/19", "58/47")
    assert take_apart("41/4 og 41/59 Rammetillatelse - naust").property_names == ("41/4", "41/59")
    assert take_apart("44/703,704 Rammetillatelse").property_names == ("44/703", "44/704")


def test_a_leasehold_keeps_its_third_number() -> None:
    assert take_apart("16/3/1 Rammetillatelse - tilbygg").property_names == ("16/3/1",)


def test_a_property_typed_without_a_blank_is_read() -> None:
    title = take_apart("67/32TILLATELSE TIL TILTAK - TILBYGG")
    assert title.property_names == ("67/32",)
    assert title.text == "TILLATELSE TIL TILTAK - TILBYGG"


def test_what_stands_behind_a_plan_number_is_the_lead() -> None:
    title = take_apart("Plan 202504 Detaljregulering for Sjøvegen - varsel om oppstart")
    assert title.plan
    assert title.lead == "Detaljregulering for Sjøvegen"
    assert title.text.startswith("Plan 202504")


def test_a_property_as_a_part_of_its_own_is_no_lead() -> None:
    title = take_apart("Kirkevegen 5 - 12/34 - Søknad om garasje")
    assert title.property_names == ("12/34",)


def test_a_title_of_nothing_but_a_property_keeps_its_text() -> None:
    assert take_apart("12/34").text == "12/34"


def test_a_year_and_serial_number_is_no_property() -> None:
    assert take_apart("2025/38274 Vedtak").property_names == ()
