"""Which areas hold a position, asked for one and for many, is what the area knowledge says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_matching.areas import areas_around
from kommunepuls_matching.columns import Words
from kommunepuls_matching.surroundings import Surroundings
from kommunepuls_matching.testing import geography_of_fjordvik

FJORDVIK = geography_of_fjordvik()
# Borders, edges of cells (a 20th of a degree), a hair beside them, and anywhere.
LONGITUDES = st.one_of(
    st.integers(199, 213).map(lambda twentieth: twentieth / 20), st.floats(9.9, 10.7), st.just(-179.99)
)
LATITUDES = st.one_of(st.integers(1179, 1185).map(lambda twentieth: twentieth / 20), st.floats(58.9, 59.3))
HAIR = st.sampled_from([0.0, 1e-12, -1e-12, 1e-9, -1e-9])
POSITIONS = st.tuples(LONGITUDES, HAIR, LATITUDES, HAIR).map(
    lambda four: (four[0] + four[1], four[2] + four[3])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(POSITIONS, min_size=1, max_size=20))
def test_one_position_and_many_are_held_by_the_areas_around_them(
    positions: list[tuple[float, float]],
) -> None:
    words = Words()
    surroundings = Surroundings(FJORDVIK, words)
    codes = surroundings.codes(*np.array(positions).T)
    for position, code in zip(positions, codes.tolist(), strict=True):
        held = {words.areas.word(number) for number in words.surroundings.word(code)}
        assert held == areas_around(*position, FJORDVIK)
        assert surroundings.code(*position) == code
