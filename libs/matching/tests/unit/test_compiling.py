"""What happens where numba or a place for its cache is missing."""

import numba
import pytest
from kommunepuls_matching import compiling
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.testing import geography_of_fjordvik, profile


@pytest.mark.skipif(not compiling.AVAILABLE, reason="numba cannot be imported")
def test_without_a_place_to_keep_them_loops_are_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile, asked = numba.njit, []

    def nowhere(function, *, cache: bool = False, nogil: bool):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile(function, nogil=nogil)

    # For this call alone: numba decorates functions of its own when it compiles for the first time.
    with monkeypatch.context() as patched:
        patched.setattr(numba, "njit", nowhere)
        twice = compiling.compiled(lambda number: number * 2)
    assert twice(21) == 42
    assert asked == [True, False]


def test_without_numba_nothing_is_merged_and_everybody_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "AVAILABLE", False)
    assert compiling.compiled(abs) is abs
    index = ProfileIndex(geography_of_fjordvik())
    for number in range(5000):
        index.put(profile(f"s-{number}"))
    assert not index.wants_merging
    assert len(index) == 5000
