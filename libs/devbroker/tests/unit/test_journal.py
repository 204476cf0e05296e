import pytest
from kommunepuls_devbroker.errors import BrokerStartError
from kommunepuls_devbroker.groups.journal import Committed, GroupJournal, StoredGroup, StoredMember

GROUP = StoredGroup(
    "consumer",
    3,
    "roundrobin",
    "member-1",
    [StoredMember("member-1", "client", "/host", 6_000, 6_000, {"roundrobin": b"\x00\xff"}, b"\x01")],
)


@pytest.fixture
def reopen(tmp_path):
    opened = []

    def open_again():
        for journal in opened:
            journal.close()
        opened[:] = [GroupJournal(tmp_path / "groups.journal")]
        return opened[0]

    yield open_again
    for journal in opened:
        journal.close()


def test_the_last_state_is_replayed(reopen):
    journal = reopen()
    journal.commit("readers", {("facts", 0): Committed(5, "early"), ("facts", 1): Committed(1, "")})
    journal.commit("readers", {("facts", 0): Committed(9, "late")})
    journal.store_group("readers", GROUP)
    again = reopen()
    assert again.offsets == {"readers": {("facts", 0): Committed(9, "late"), ("facts", 1): Committed(1, "")}}
    assert again.groups == {"readers": GROUP}


def test_what_was_forgotten_stays_forgotten(reopen):
    journal = reopen()
    journal.commit("gone", {("facts", 0): Committed(5, "")})
    journal.commit("kept", {("facts", 0): Committed(5, ""), ("deleted", 0): Committed(5, "")})
    journal.forget_group("gone")
    journal.forget_topic("deleted")
    assert reopen().offsets == {"kept": {("facts", 0): Committed(5, "")}}


def test_opening_shrinks_the_file_to_the_last_state(reopen, tmp_path):
    journal = reopen()
    for offset in range(1_000):
        journal.commit("readers", {("facts", 0): Committed(offset, "")})
    reopen()
    assert (tmp_path / "groups.journal").read_text().count("\n") == 1


def test_a_line_that_was_cut_short_is_dropped(reopen, tmp_path):
    reopen().commit("readers", {("facts", 0): Committed(5, "")})
    with (tmp_path / "groups.journal").open("ab") as file:
        file.write(b'{"what":"commit","group":"rea')
    assert reopen().offsets == {"readers": {("facts", 0): Committed(5, "")}}


def test_damage_in_the_middle_is_told(reopen, tmp_path):
    (tmp_path / "groups.journal").write_text('no journal\n{"what":"forget-group","group":"a"}\n')
    with pytest.raises(BrokerStartError, match="damaged"):
        reopen()
