import pytest
from kommunepuls_geography import Area, AreaError, AreaKind, AreaTree


def ids(areas) -> list[str]:
    return [area.id for area in areas]


def test_ancestors_come_nearest_first(hierarchy):
    tree = AreaTree(hierarchy)
    assert ids(tree.ancestors("NO-3907/breidablikk")) == ["NO-3907/nord", "NO-3907"]
    assert ids(tree.ancestors("NO-3907")) == []


def test_descendants_come_with_each_area_before_what_it_holds(hierarchy):
    tree = AreaTree(hierarchy)
    assert ids(tree.descendants("NO-3907")) == ["NO-3907/nord", "NO-3907/breidablikk", "NO-3907/sentrum"]
    assert ids(tree.children("NO-3907")) == ["NO-3907/nord", "NO-3907/sentrum"]


def test_an_area_is_within_itself_and_its_ancestors_alone(hierarchy):
    tree = AreaTree(hierarchy)
    assert tree.is_within("NO-3907/breidablikk", "NO-3907")
    assert tree.is_within("NO-3907", "NO-3907")
    assert not tree.is_within("NO-3907", "NO-3907/breidablikk")
    assert not tree.is_within("NO-3907/sentrum", "NO-3907/nord")
    assert not tree.is_within("NO-0301/x", "NO-3907")


def test_a_label_reads_from_the_area_outwards(hierarchy):
    tree = AreaTree(hierarchy)
    assert tree.label("NO-3907/breidablikk") == "Breidablikk, Nord, Sandefjord"
    assert ids(tree.path("NO-3907/sentrum")) == ["NO-3907", "NO-3907/sentrum"]


def test_the_municipality_of_an_area_is_found_above_it(hierarchy):
    municipality = AreaTree(hierarchy).municipality_of("NO-3907/breidablikk")
    assert municipality is not None
    assert municipality.id == "NO-3907"


def test_an_unknown_parent_is_named(hierarchy):
    with pytest.raises(AreaError, match=r"'x' names the parent 'nowhere', which is no known area\."):
        AreaTree([*hierarchy, Area("x", "X", parent="nowhere")])


def test_an_id_given_twice_names_both_areas(hierarchy):
    with pytest.raises(AreaError, match="'NO-3907/sentrum' is given twice: for 'Sentrum' and 'Byen'"):
        AreaTree([*hierarchy, Area("NO-3907/sentrum", "Byen", parent="NO-3907")])


def test_a_cycle_is_shown():
    with pytest.raises(AreaError, match="lies inside itself: a -> b -> a"):
        AreaTree([Area("a", "A", parent="b"), Area("b", "B", parent="a")])


def test_an_area_that_is_its_own_parent_is_refused():
    with pytest.raises(AreaError, match="lies inside itself"):
        AreaTree([Area("a", "A", parent="a")])


def test_a_cycle_above_an_innocent_area_is_refused():
    with pytest.raises(AreaError, match="lies inside itself"):
        AreaTree([Area("c", "C", parent="a"), Area("a", "A", parent="b"), Area("b", "B", parent="a")])


def test_asking_for_an_unknown_area_says_so(hierarchy):
    tree = AreaTree(hierarchy)
    with pytest.raises(AreaError, match="'NO-9999' is no known area"):
        tree.ancestors("NO-9999")
    assert tree.get("NO-9999") is None
    assert "NO-9999" not in tree


def test_an_area_answers_with_its_name_in_a_language():
    area = Area("NO-5540", "Kåfjord", AreaKind.MUNICIPALITY, names={"nb": "Kåfjord", "se": "Gáivuotna"})
    assert area.name_in("se") == "Gáivuotna"
    assert area.name_in("sv") == "Kåfjord"
    assert area.spellings() == ("Kåfjord", "Gáivuotna")
