"""A made-up country for the matchers; makes the module of random residents importable."""

import sys
from pathlib import Path

import pytest
from kommunepuls_geography import Geography
from kommunepuls_matching.testing import geography_of_fjordvik

sys.path.insert(0, str(Path(__file__).parent / "making"))


@pytest.fixture(scope="session")
def geography() -> Geography:
    """A municipality with districts, and a neighbour."""
    return geography_of_fjordvik()
