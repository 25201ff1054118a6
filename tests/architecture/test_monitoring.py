"""The dashboard, the alerts and the operator's page name metrics that the code counts, and no others."""

import json
import re
from pathlib import Path
from typing import get_args

from ruamel.yaml import YAML

from shared.contracts.advice import AdviceEventType

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/grafana/dashboards/tandem.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


def counted() -> set[str]:
    """Names as Prometheus sees them, from the code: counters kept in the store, gauges, and the front door's own."""
    source = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    stored = {f"tandem_{name}" for name in re.findall(r'"([a-z_]+_total)"', source)}
    own = set(re.findall(r'"(tandem_[a-z_]+)"', source)) | {"tandem_events_total"}
    told = {f"tandem_{event.replace('.', '_')}_total" for event in get_args(AdviceEventType)}
    return stored | own | told | {"tandem_advice_expired_total"}


def named(text: str) -> set[str]:
    return {HISTOGRAM.sub("", name) for name in re.findall(r"tandem_[a-z_]+[a-z]", text)}


def test_the_dashboard_shows_what_is_counted() -> None:
    queries = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]
    ]
    assert queries
    assert named("\n".join(queries)) <= counted()


def test_the_alerts_watch_what_is_counted_and_say_what_to_do() -> None:
    rules = YAML(typ="safe").load(ALERTS)["groups"][0]["rules"]
    assert named("\n".join(rule["expr"] for rule in rules)) <= counted()
    assert all(rule["annotations"]["do"] for rule in rules)


def test_the_operators_page_explains_what_is_counted() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert named(page) <= counted()
    assert named(page) >= {
        "tandem_backlog",
        "tandem_waiting",
        "tandem_deliveries_total",
        "tandem_evaluations_total",
    }


def test_prometheus_reads_the_alerts_that_are_there_and_grafana_the_dashboards_where_they_are_mounted() -> (
    None
):
    yaml = YAML(typ="safe")
    assert yaml.load(ROOT / "deploy/prometheus/prometheus.yml")["rule_files"] == [ALERTS.name]
    provider = yaml.load(ROOT / "deploy/grafana/provisioning/dashboards/tandem.yml")["providers"][0]
    mounted = yaml.load(ROOT / "docker-compose.yml")["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounted
    source = yaml.load(ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
