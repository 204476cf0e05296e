"""The Helm chart's values and templates against the registry and the settings of the services."""

import json
import os
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from kommunepuls_events.topics import CONTENT, MATCHES, OFFERS, PROFILES
from pydantic import SecretStr

CHART = "deploy/helm/kommunepuls"
GIVEN_BY_THE_TEMPLATE = {"KP_KAFKA_BOOTSTRAP", "KP_KAFKA_SECURITY", "KP_KAFKA_CA_FILE", "KP_KAFKA_USERNAME",
                         "KP_KAFKA_PASSWORD", "KP_HTTP_PORT", "KP_TOWN_FILES", "KP_INSTANCE"}  # fmt: skip


@pytest.fixture(scope="module")
def schema(root) -> dict:
    return json.loads((root / CHART / "values.schema.json").read_text(encoding="utf-8"))


def _given(values: dict, service: dict) -> set[str]:
    own = {*service["secrets"], *service.get("optionalSecrets", []), *service["env"], *values["env"]}
    return own | ({"KP_PUBLIC_URL"} if service.get("publicUrl") else set())


def test_every_service_of_the_registry_is_there_and_no_other(chart_values, registry_services):
    assert set(chart_values["services"]) == registry_services


def test_every_variable_is_a_setting_and_every_required_setting_is_given(chart_values, settings_of):
    for name, service in chart_values["services"].items():
        known, given = settings_of(service["module"]), _given(chart_values, service)
        unknown = (given | GIVEN_BY_THE_TEMPLATE) - set(known)
        assert not unknown, f"{name}: not settings: {sorted(unknown)}"
        required = {variable for variable, field in known.items() if field.is_required()}
        assert required <= given, f"{name}: required and not given: {sorted(required - given)}"


def test_secrets_come_from_secrets_alone(chart_values, settings_of):
    seen = 0
    for name, service in chart_values["services"].items():
        secret = {
            variable
            for variable, field in settings_of(service["module"]).items()
            if field.annotation in (SecretStr, SecretStr | None)
        } | {"KP_STORE_URL"}
        plain = {*service["env"], *chart_values["env"]}
        assert not secret & plain, f"{name}: {sorted(secret & plain)} must not stand in values"
        seen += len(secret & set(service["secrets"]))
    assert seen >= 12


def test_private_keys_belong_to_the_notifier_alone(chart_values):
    for name, service in chart_values["services"].items():
        holds = {"KP_VAULT_KEY", "KP_CONTACT_PRIVATE_KEY", "KP_VAPID_PRIVATE_KEY"} & set(service["secrets"])
        assert bool(holds) == (name == "notifier")


def test_the_internet_is_open_to_those_who_ask_or_send(chart_values):
    open_to = {name for name, service in chart_values["services"].items() if service["egress"]}
    assert open_to == {
        "ingest-facebook", "ingest-permits", "ingest-feeds", "sensor-gateway", "notifier", "gateway-api",
    }  # fmt: skip


def test_the_default_values_and_the_example_fit_the_schema(chart_values, schema, root):
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(chart_values, schema)


@pytest.mark.parametrize(
    ("service", "replicas"),
    [("ingest-feeds", 2), ("personaliser", PROFILES.partitions + 1), ("notifier", -1)],
)
def test_the_schema_refuses_replicas_that_would_idle_or_poll_twice(chart_values, schema, service, replicas):
    changed = json.loads(json.dumps(chart_values))
    changed["services"][service]["replicas"] = replicas
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, schema)


def test_the_schema_allows_as_many_replicas_as_there_are_partitions(chart_values, schema):
    assert PROFILES.partitions == OFFERS.partitions == MATCHES.partitions == CONTENT.partitions
    changed = json.loads(json.dumps(chart_values))
    for service in ("gateway-api", "personaliser", "notifier"):
        changed["services"][service]["replicas"] = PROFILES.partitions
        changed["services"][service]["autoscaling"]["maxReplicas"] = PROFILES.partitions
    jsonschema.validate(changed, schema)


def test_the_schema_refuses_a_misspelt_value(chart_values, schema):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**chart_values, "replica": 3}, schema)


def test_webhook_paths_are_those_that_the_services_serve(chart_values):
    from ingest_facebook.adapters import webhooks

    paths = {one["path"]: one["service"] for one in chart_values["ingress"]["webhooks"]}
    assert paths[webhooks.PATH] == "ingest-facebook"
    assert {path for path, service in paths.items() if service == "sensor-gateway"} == {
        "/webhooks",
        "/snowfalls",
    }


def test_there_is_time_to_stop_in_order(chart_values):
    assert chart_values["terminationGracePeriodSeconds"] >= 30


@pytest.fixture(scope="module")
def rendered(root) -> list[dict]:
    helm = os.environ.get("KP_HELM") or shutil.which("helm")
    if not helm:
        pytest.skip("helm is not installed: the chart is not rendered (KP_HELM may name the program)")
    values = root / CHART / "ci/example-values.yaml"
    done = subprocess.run(
        [helm, "template", "puls", str(root / CHART), "--kube-version", "1.30.0", "-f", str(values)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def _pods(rendered: list[dict]) -> dict[str, dict]:
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"]["template"]["spec"]
        for one in rendered
        if one["kind"] in ("Deployment", "Job")
    }


def test_rendered_pods_hold_to_the_rules_of_the_house(rendered, registry_services):
    pods = _pods(rendered)
    assert set(pods) == registry_services | {"topics"}
    for name, pod in pods.items():
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        if name != "topics":
            assert container["livenessProbe"]["httpGet"]["path"] == "/health/live", name
            assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready", name


def test_rendered_variables_are_settings(rendered, chart_values, settings_of):
    for name, pod in _pods(rendered).items():
        if name == "topics":
            continue
        known = set(settings_of(chart_values["services"][name]["module"]))
        given = [one["name"] for one in pod["containers"][0]["env"]]
        assert set(given) <= known, f"{name}: {sorted(set(given) - known)}"
        assert len(given) == len(set(given)), f"{name}: a variable is given twice"


def test_everything_is_denied_that_is_not_allowed(rendered):
    policies = [one["spec"] for one in rendered if one["kind"] == "NetworkPolicy"]
    (deny,) = (one for one in policies if "ingress" not in one and "egress" not in one)
    selected = deny["podSelector"]["matchLabels"]
    assert "app.kubernetes.io/component" not in selected
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    to_the_internet = {
        one["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for one in policies
        if re.search(r"0\.0\.0\.0/0", json.dumps(one))
    }
    assert to_the_internet == {
        "ingest-facebook",
        "ingest-permits",
        "ingest-feeds",
        "sensor-gateway",
        "notifier",
    }
