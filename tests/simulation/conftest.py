"""The standard county, generated once for all tests: Landkreis Osnabrück, 2016, everybody who came."""

from __future__ import annotations

import pytest

from simulation.county import County, generate
from simulation.files import OfficeFile, office_files
from simulation.people import Person


@pytest.fixture(scope="session")
def county() -> County:
    return generate()


@pytest.fixture(scope="session")
def people(county: County) -> list[Person]:
    return list(county.people())


@pytest.fixture(scope="session")
def files(county: County) -> list[OfficeFile]:
    return list(office_files(county))
