"""Alerts and dashboard against the metrics that there are, and against the runbook."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from kommunepuls_chassis import metrics
from prometheus_client.metrics import MetricWrapperBase

NAME = re.compile(r"\bkp_[a-z0-9_]+")


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Names of series as Prometheus stores them, with their labels."""
    found: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            labels = set(metric._labelnames)
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
            for suffix in suffixes.get(family.type, [""]):
                found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


@pytest.fixture(scope="module")
def rules(root) -> list[dict]:
    text = (root / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard(root) -> dict:
    return json.loads((root / "deploy/grafana/kommunepuls.json").read_text(encoding="utf-8"))


def _expressions(dashboard: dict) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def _unknown(expressions: list[str], known: dict[str, set[str]]) -> set[str]:
    return {name for text in expressions for name in NAME.findall(text)} - set(known)


def _unknown_labels(expressions: list[str], known: dict[str, set[str]]) -> set[str]:
    """Labels by which series are selected or grouped and that no metric of the expression has."""
    wrong = set()
    for text in expressions:
        labels = {"service", "instance", "job"}
        for name in NAME.findall(text):
            labels |= known.get(name, set())
        used = {one.strip() for part in re.findall(r"by \(([^)]*)\)", text) for one in part.split(",")}
        used |= set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|=|!=|!~)", text))
        wrong |= used - labels
    return wrong


def test_rules_and_dashboard_use_metrics_and_labels_that_there_are(rules, dashboard, known):
    expressions = [rule["expr"] for rule in rules] + _expressions(dashboard)
    assert len(expressions) > 30
    assert _unknown(expressions, known) == set()
    assert _unknown_labels(expressions, known) == set()


def test_a_metric_or_label_that_there_is_not_would_be_found(known):
    wrong = ["sum by (colour) (rate(kp_dead_letters[5m]))", 'kp_deliveries_total{status="sent"}']
    assert _unknown(wrong, known) == {"kp_dead_letters"}
    assert _unknown_labels(wrong, known) == {"colour", "status"}


def test_each_alert_has_a_page_in_the_runbook(rules, root):
    text = (root / "docs/runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    for rule in rules:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/runbook.md"
        assert anchor in anchors, f"{rule['alert']}: no heading for #{anchor}"
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_the_dashboard_is_whole(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] == "row" or panel["description"], panel["title"]


def test_every_service_is_scraped_under_its_name(root, registry_services):
    config = yaml.safe_load((root / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (static,) = (job["static_configs"] for job in config["scrape_configs"] if "static_configs" in job)
    assert {one["labels"]["service"] for one in static} == registry_services
    assert all(one["targets"] == [f"{one['labels']['service']}:8000"] for one in static)


def test_the_rules_fire_when_they_should(root):
    promtool = os.environ.get("KP_PROMTOOL") or shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed: the rules are not run (KP_PROMTOOL may name the program)")
    done = subprocess.run(
        [promtool, "test", "rules", "rules_test.yml"],
        cwd=root / "deploy/prometheus",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
