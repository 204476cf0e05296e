import pytest
from gateway_api.domain.staff import (
    Invitation,
    Role,
    Staff,
    faults_of,
    invitation_of,
    operator_named,
    staff_key,
)

TOWN = "NO-9901"


def _editor(municipality: str = TOWN) -> Staff:
    return Staff("Eva", frozenset({Role.EDITOR}), municipality)


def test_an_operator_may_what_an_editor_may_but_not_the_other_way_round() -> None:
    assert operator_named("kari").may(Role.EDITOR)
    assert operator_named("kari").serves("SE-1761")
    assert not _editor().may(Role.OPERATOR)
    assert not _editor().serves("SE-1761")


def test_one_writes_for_ones_own_organisers_and_an_editor_for_all_of_the_municipality() -> None:
    club = Staff("Ola", frozenset({Role.ORGANISER}), TOWN, frozenset({f"{TOWN}/fotball"}))
    assert club.may_write_for(f"{TOWN}/fotball")
    assert not club.may_write_for(f"{TOWN}/korps")
    assert not club.may(Role.EDITOR)
    assert _editor().may_write_for(f"{TOWN}/korps")
    assert not _editor().may_write_for("NO-99012/korps")


def test_an_invitation_is_tidied() -> None:
    tidied = invitation_of("  Eva   Holm ", ["editor", "editor"], [f"{TOWN}/fotball"])
    assert tidied == Invitation("Eva Holm", ("editor",), ())
    assert invitation_of("Ola", ["organiser"], [" a ", "", "a"]).organisers == ("a",)


@pytest.mark.parametrize(
    ("invitation", "pointers"),
    [
        (Invitation("Eva Holm", ("editor",)), []),
        (Invitation("Ola", ("organiser",), (f"{TOWN}/fotball",)), []),
        (Invitation("", ("editor",)), ["/name"]),
        (Invitation("x" * 81, ("editor",)), ["/name"]),
        (Invitation("42", ("editor",)), ["/name"]),
        (Invitation("Eva", ()), ["/roles"]),
        (Invitation("Eva", ("operator",)), ["/roles"]),
        (Invitation("Ola", ("organiser",)), ["/organisers"]),
        (Invitation("Ola", ("organiser",), ("SE-1761/klubb",)), ["/organisers/0"]),
        (Invitation("Ola", ("organiser",), (f"{TOWN}/Fot ball",)), ["/organisers/0"]),
        (Invitation("Ola", ("organiser",), (f"{TOWN}/../x",)), ["/organisers/0"]),
    ],
)
def test_each_fault_of_an_invitation_names_its_field(invitation: Invitation, pointers: list[str]) -> None:
    assert [fault.pointer for fault in faults_of(invitation, TOWN)] == pointers


def test_one_address_is_another_account_in_another_municipality() -> None:
    keys = {staff_key(town, "eva@example.no", "pepper") for town in (TOWN, "SE-1761")}
    assert len(keys) == 2
    assert staff_key(TOWN, "eva@example.no", "pepper") in keys
