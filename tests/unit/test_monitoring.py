"""The example dashboard and alerts: every metric in them exists, with the labels they use."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import bot
import webapp

MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
FILES = ("grafana-dashboard.json", "alerts.yaml")
OF_PROMETHEUS = {"up"}
SUFFIXES = {"counter": ("_total", "_created"), "histogram": ("_bucket", "_sum", "_count", "_created"), "gauge": ("",)}
METRIC = re.compile(r"\b((?:bot|volcengine|process)_[a-z_]+)\b(?:\{([^}]*)\})?")


def expressions(name: str) -> Iterator[str]:
    """The PromQL expressions of a file."""
    text = (MONITORING / name).read_text()
    if name.endswith(".json"):
        for panel in json.loads(text)["panels"]:
            yield from (target["expr"] for target in panel["targets"])
    else:
        for group in yaml.safe_load(text)["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The samples that the program exports, with their labels."""
    for package in (bot, webapp):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._names_to_collectors.values()):
        labels = set(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            for suffix in SUFFIXES.get(family.type, ("",)):
                found[family.name + suffix] = labels
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_metric_exists(name: str, exported: dict[str, set[str]]) -> None:
    used = [match for expression in expressions(name) for match in METRIC.findall(expression)]
    assert len(used) >= 10
    for metric, selector in used:
        assert metric in exported, metric
        labels = set(re.findall(r"(\w+)\s*[=!]", selector)) - {"job", "instance", "le"}
        assert labels <= exported[metric], f"{metric}{{{selector}}}"


@pytest.mark.parametrize("name", FILES)
def test_every_grouping_uses_labels_of_its_metrics(name: str, exported: dict[str, set[str]]) -> None:
    for expression in expressions(name):
        known = set().union(*(exported[metric] for metric, _ in METRIC.findall(expression)), {"le", "instance", "job"})
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            assert {label.strip() for label in labels.split(",")} <= known, expression


def test_alerts_compare_series_with_the_same_labels() -> None:
    """`and`, and arithmetic between two sums, match equal labels only; otherwise the alert never fires."""
    for expression in expressions("alerts.yaml"):
        groupings = re.findall(r"(?:sum|max|min)(?: by \(([^)]*)\))?\s*\(", expression)
        assert len(set(groupings)) <= 1, expression
