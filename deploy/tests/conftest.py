"""What the checks of the deployment share: the repository, the services of the registry, their settings."""

import importlib
from pathlib import Path

import pytest
import yaml
from kommunepuls_chassis.settings import PREFIX, ServiceSettings
from kommunepuls_events import TOPICS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def registry_services() -> set[str]:
    """Every service that the topic registry names."""
    named = {name for topic in TOPICS for name in (*topic.producers, *topic.consumers)}
    return named - {"*"}


@pytest.fixture(scope="session")
def compose() -> dict:
    """docker-compose.yml as written, anchors resolved, variables not."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def chart_values() -> dict:
    """The chart's default values."""
    return yaml.safe_load((ROOT / "deploy/helm/kommunepuls/values.yaml").read_text(encoding="utf-8"))


def settings_class(package: str) -> type[ServiceSettings]:
    """The settings of a service's package; fails if there is none or more than one."""
    module = importlib.import_module(f"{package}.settings")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value is not ServiceSettings
    )
    return found


@pytest.fixture(scope="session")
def settings_of():
    """Variables of a service's settings: name -> field."""

    def variables(package: str) -> dict:
        fields = settings_class(package).model_fields
        return {f"{PREFIX}{name.upper()}": field for name, field in fields.items()}

    return variables
