import pytest
from ingest_permits.domain.stages import Stage, stage_of
from ingest_permits.domain.titles import take_apart

OUT, IN, NOTE = "Utgående dokument", "Inngående dokument", "Internt notat (X)"


@pytest.mark.parametrize(
    ("title", "kind", "stage"),
    [
        ("12/34 Søknad om rammetillatelse - garasje - Kirkevegen 5", IN, Stage.RECEIVED),
        ("12/34 Søknad om ferdigattest - garasje", IN, Stage.RECEIVED),
        ("Nabovarsel for Kirkevegen 5", IN, Stage.RECEIVED),
        ("12/34 Bruksendring - nabovarsel - Kirkevegen 5", IN, Stage.RECEIVED),
        ("12/34 Melding om tiltak - bod", IN, Stage.RECEIVED),
        ("Plan 202504 Varsel om oppstart av planarbeid - Sjøvegen", OUT, Stage.RECEIVED),
        ("12/34 Supplering av søknad - fritidsbolig", IN, Stage.AMENDED),
        ("12/34 Reviderte tegninger - påbygg", IN, Stage.AMENDED),
        ("12/34 Søknad om endring av gitt tillatelse - garasje", IN, Stage.AMENDED),
        ("12/34 Rammetillatelse - bolig", OUT, Stage.DECIDED),
        ("12/34 Igangsettingstillatelse (IG2) - bolig", OUT, Stage.DECIDED),
        ("12/34 Ferdigattest - bolig", OUT, Stage.DECIDED),
        ("12/34 Midlertidig brukstillatelse - naust", OUT, Stage.DECIDED),
        ("12/34 Avslag på søknad om rammetillatelse - tilbygg", OUT, Stage.DECIDED),
        ("12/34 Delvis avslag på søknad om tillatelse til tiltak", OUT, Stage.DECIDED),
        ("12/34 Innvilget søknad om fradeling", OUT, Stage.DECIDED),
        ("12/34 Dispensasjonsvedtak - plattinger", OUT, Stage.DECIDED),
        ("12/34 Klagevedtak - stadfester avvisning", IN, Stage.DECIDED),
        ("12/34 TILTAK UTEN ANSVARSRETT - GARASJE", "Saksframlegg", Stage.DECIDED),
        ("12/34 Søknad trukket - garasje", OUT, Stage.WITHDRAWN),
        ("12/34 Tilbaketrekking av søknad - garasje", IN, Stage.WITHDRAWN),
        ("Ansökan om bygglov för nybyggnad av enbostadshus", "Inkommande", Stage.RECEIVED),
        ("Komplettering av ansökan om bygglov", "Inkommande", Stage.AMENDED),
        ("Beslut om bygglov för garage", "Utgående", Stage.DECIDED),
        ("Återkallad ansökan om bygglov", "Inkommande", Stage.WITHDRAWN),
        ("Application for a Non Material Amendment to allow for windows", "", Stage.AMENDED),
        ("Application withdrawn: rear extension", "", Stage.WITHDRAWN),
    ],
)
def test_the_stage_is_told_from_kind_and_title(title: str, kind: str, stage: Stage) -> None:
    assert stage_of(take_apart(title), kind) is stage


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("12/34 Tilbakemelding om mangler - ferdigattest - riving av bolig", OUT),
        ("12/34 Svar på nabovarsel", OUT),
        ("12/34 Fakturagrunnlag - avslag - riving av anneks", NOTE),
        ("12/34 Ferdigattest - bolig", NOTE),
        ("12/34 Rammetillatelse - kopi fra søker", IN),
        ("12/34 Dokumentsjekk - ikke behov for mangelbrev", OUT),
        ("12/34 Bekreftelse på mottatt tilbaketrekking av nabosamtykke - vedhus", OUT),
        ("12/34 Klage - dispensasjon for mur", IN),
        ("12/34 Revidert gjennomføringsplan - fritidsbolig", IN),
        ("Innsynsbegjæring - utbyggingsavtaler", IN),
        ("12/34 Søknadsplikt for garasje?", IN),
    ],
)
def test_papers_that_bring_a_case_no_further_have_no_stage(title: str, kind: str) -> None:
    assert stage_of(take_apart(title), kind) is None


def test_of_two_documents_of_a_day_the_decision_ranks_higher() -> None:
    assert Stage.DECIDED.rank > Stage.RECEIVED.rank


@pytest.mark.parametrize(
    ("title", "kind", "stage"),
    [
        ("Storgata 4 - gnr 14 bnr 301 - søknad om oppføring av garasje", "Inngående brev", Stage.RECEIVED),
        ("Storgata 4 B - 14/301 - Ferdigattest", "Utgående brev", Stage.DECIDED),
        (
            "Storgata 4 - gnr. 14, bnr. 301 - tillatelse til oppføring av garasje",
            "Utgående brev",
            Stage.DECIDED,
        ),
        ("14/301 og 14/302 - Kirkeveien 3-5 - Søknad om riving", "Inngående dokument", Stage.RECEIVED),
    ],
)
def test_address_and_property_in_front_do_not_hide_what_it_is_about(
    title: str, kind: str, stage: Stage
) -> None:
    assert stage_of(take_apart(title), kind) is stage
