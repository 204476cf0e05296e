"""A made-up country for the matchers: a municipality with districts and a neighbour, and random residents."""

import pytest
from kommunepuls_geography import Geography
from kommunepuls_matching.testing import geography_of_fjordvik


@pytest.fixture(scope="session")
def geography() -> Geography:
    return geography_of_fjordvik()
