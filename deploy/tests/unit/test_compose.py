"""docker-compose.yml against the registry and the settings of the services."""

import importlib.util
import re
from graphlib import CycleError, TopologicalSorter

import pytest
from pydantic import SecretStr

OURS = re.compile(r"^python -m ([a-z_]+(?:\.[a-z_]+)*)$")


def _module(service: dict) -> str | None:
    found = OURS.match(" ".join(service.get("command", [])))
    return found.group(1) if found else None


def _services(compose: dict) -> dict[str, dict]:
    return {
        name: service
        for name, service in compose["services"].items()
        if str(service.get("image", "")).startswith("kommunepuls:") and name != "topics"
    }


def _order(compose: dict) -> list[str]:
    services = compose["services"]
    return list(
        TopologicalSorter(
            {name: service.get("depends_on", {}) for name, service in services.items()}
        ).static_order()
    )


def test_every_service_of_the_registry_is_there_and_no_other(compose, registry_services):
    assert set(_services(compose)) == registry_services


def test_commands_start_modules_that_exist(compose):
    for name, service in {**_services(compose), "topics": compose["services"]["topics"]}.items():
        module = _module(service)
        assert module, f"{name} is not started by python -m"
        started = module if module.count(".") else f"{module}.__main__"
        assert importlib.util.find_spec(started), f"{name}: there is no {started}"


def test_every_variable_is_a_setting_and_every_required_setting_is_given(compose, settings_of):
    for name, service in _services(compose).items():
        known, given = settings_of(_module(service)), set(service["environment"])
        assert given <= set(known), f"{name}: not settings: {sorted(given - set(known))}"
        required = {variable for variable, field in known.items() if field.is_required()}
        assert required <= given, f"{name}: required and not given: {sorted(required - given)}"


def test_the_topics_job_knows_its_variables(compose):
    from kommunepuls_chassis.topics import TopicSettings

    known = {f"KP_{name.upper()}" for name in TopicSettings.model_fields}
    assert set(compose["services"]["topics"]["environment"]) <= known


def test_no_secret_has_a_default(compose, settings_of):
    seen = 0
    for name, service in _services(compose).items():
        known = settings_of(_module(service))
        for variable, value in service["environment"].items():
            if known[variable].annotation not in (SecretStr, SecretStr | None):
                continue
            seen += 1
            if known[variable].is_required():
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]*\}", value), f"{name}: {variable} is not demanded"
            else:
                assert value is None or re.fullmatch(r"\$\{[A-Z_]+:-\}", value), f"{name}: {variable}"
    assert seen >= 8
    passwords = [
        value
        for service in compose["services"].values()
        for value in (service.get("environment") or {}).values()
        if value and "PASSWORD" in value
    ]
    assert passwords
    assert all("${MONGO_PASSWORD:?" in value for value in passwords)


def test_a_secret_with_a_default_would_be_found(compose, settings_of):
    changed = {
        **compose,
        "services": {
            **compose["services"],
            "notifier": {
                **compose["services"]["notifier"],
                "environment": {
                    **compose["services"]["notifier"]["environment"],
                    "KP_VAULT_KEY": "${KP_VAULT_KEY:-well-known}",
                },
            },
        },
    }
    with pytest.raises(AssertionError, match="KP_VAULT_KEY"):
        test_no_secret_has_a_default(changed, settings_of)


def test_each_service_has_a_database_of_its_own(compose):
    urls = {
        name: service["environment"]["KP_STORE_URL"]
        for name, service in _services(compose).items()
        if "KP_STORE_URL" in service["environment"]
    }
    assert set(urls) == set(_services(compose)) - {"personaliser"}
    for name, url in urls.items():
        assert re.search(rf"@mongo:27017/{re.escape(name)}\?", url)


def test_services_start_after_what_they_need_and_nothing_waits_for_itself(compose):
    order = _order(compose)
    for name, service in _services(compose).items():
        waits = service["depends_on"]
        assert waits["kafka"]["condition"] == "service_healthy"
        assert waits["topics"]["condition"] == "service_completed_successfully"
        assert ("KP_STORE_URL" in service["environment"]) == ("mongo" in waits), name
        assert order.index("kafka") < order.index("topics") < order.index(name)
        for other, wait in waits.items():
            if wait["condition"] == "service_healthy":
                assert "test" in compose["services"][other]["healthcheck"], f"{other} is never healthy"


def test_a_cycle_would_be_found():
    with pytest.raises(CycleError):
        _order({"services": {"a": {"depends_on": ["b"]}, "b": {"depends_on": ["a"]}}})


def test_services_are_watched_restarted_and_given_time_to_stop(compose):
    for name, service in _services(compose).items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][-1] == "ready", name
        assert service["stop_grace_period"] == "30s", name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_only_those_who_ask_or_send_reach_the_outside(compose):
    assert compose["networks"]["backplane"] == {"internal": True}
    outside = {name for name, one in compose["services"].items() if "outside" in one.get("networks", [])}
    assert outside == {
        "ingest-facebook",
        "ingest-permits",
        "ingest-feeds",
        "sensor-gateway",
        "notifier",
        "mail-sink",
    }
    assert (
        compose["services"]["kafka"]["networks"] == compose["services"]["mongo"]["networks"] == ["backplane"]
    )


def test_the_mail_sink_is_for_development_only(compose):
    assert compose["services"]["mail-sink"]["profiles"] == ["mail-sink"]


def test_every_variable_is_described_in_the_example_and_no_other(root):
    text = (root / "docker-compose.yml").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    used = set(re.findall(r"\$\{([A-Z_]+)", body)) | set(re.findall(r"^\s+([A-Z_]+):\s*$", body, re.M))
    example = (root / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.M)) == used
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?", body))
    assert set(re.findall(r"^([A-Z_]+)=", example, re.M)) == demanded


def test_the_values_for_checking_the_file_are_those_that_it_demands(root):
    names = re.compile(r"^([A-Z_]+)=", re.M)
    example = (root / ".env.example").read_text(encoding="utf-8")
    checked = (root / "deploy/tests/compose.env").read_text(encoding="utf-8")
    assert names.findall(checked)
    assert set(names.findall(checked)) == set(names.findall(example))


def test_fresh_keys_are_made_for_every_key_that_is_demanded(root):
    from notifier.keys import fresh_keys

    body = (root / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+):\?make keys\}", body)) == set(fresh_keys())
