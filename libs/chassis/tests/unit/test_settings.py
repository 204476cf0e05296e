"""Settings: a wrong one is one line that says which and how to mend it."""

from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.settings import ServiceSettings, load_settings, settings_table


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KP_KAFKA_BOOTSTRAP", "a:9092,b:9092")
    monkeypatch.setenv("KP_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings(ServiceSettings)
    assert settings.kafka_bootstrap == "a:9092,b:9092"
    assert settings.store_url_for("notifier").endswith("/data/notifier.db")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KP_KAFKA_BOOTSTRAP", "kafka"),
        ("KP_HTTP_PORT", "seventy"),
        ("KP_LOG_LEVEL", "LOUD"),
        ("KP_HTTP_PORT", "70000"),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(OperatorError) as fault:
        load_settings(ServiceSettings)
    assert str(fault.value).startswith(f"{name}: ")
    assert "\n" not in str(fault.value)


def test_sasl_without_a_user_is_refused() -> None:
    with pytest.raises(OperatorError, match="KP_KAFKA_USERNAME"):
        client_options(ServiceSettings(kafka_security="SASL_PLAINTEXT"))


def test_every_setting_is_described() -> None:
    table = settings_table(ServiceSettings)
    assert "| `KP_KAFKA_BOOTSTRAP` |" in table
