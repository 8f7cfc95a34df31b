"""examples/monitoring: Prometheus' own tool checks the rules, and fires each of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "monitoring"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
NAMES = [rule["alert"] for rule in RULES]
NODE = 'job="flask-realtime",instance="web-1:5000"'
Series = dict[str, str]


def of_node(name: str, **labels: str) -> str:
    """A series of one web node."""
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{NODE}{more}}}"


def ours(name: str, **labels: str) -> str:
    return of_node(f"flask_realtime_{name}", **labels)


# What a web node tells that does well, each minute.
WELL: Series = {
    of_node("up"): "1+0x240",
    of_node("process_open_fds"): "100+0x240",
    of_node("process_max_fds"): "1024+0x240",
    ours("redis_up"): "1+0x240",
    ours("archive_up", side="write"): "1+0x240",
    ours("connections"): "500+0x240",
    ours("unsettled_outputs"): "20+0x240",
    ours("queue_length", queue="default"): "3+0x240",
    ours("active_runs", job_name="a", executor="celery", state="queued"): "3+0x240",
    ours("active_runs", job_name="a", executor="celery", state="running"): "8+0x240",
    ours("runs", state="queued"): "3+0x240",
    ours("runs", state="running"): "8+0x240",
    ours("runs", state="lost"): "5+0x240",
    ours("runs", state="failed"): "7+0x240",
    ours("runs", state="succeeded"): "100+1x240",
    ours("hub_lag_seconds_bucket", le="0.25"): "0+240x240",
    ours("hub_lag_seconds_bucket", le="5.0"): "0+240x240",
    ours("hub_lag_seconds_bucket", le="+Inf"): "0+240x240",
    ours("http_request_seconds_bucket", le="1.0"): "0+60x240",
    ours("http_request_seconds_bucket", le="10.0"): "0+60x240",
    ours("http_request_seconds_bucket", le="+Inf"): "0+60x240",
    ours("http_request_seconds_count", route="page", code="200"): "0+60x240",
    ours("http_request_seconds_count", route="page", code="500"): "0+0x240",
}
# What is otherwise when something is the matter.
ILL: dict[str, Series] = {
    "WebNodeGone": {of_node("up"): "1+0x120 0+0x120"},
    "NoWebNode": {of_node("up"): "0+0x240"},
    "RedisAway": {ours("redis_up"): "0+0x240"},
    "ArchiveAway": {ours("archive_up", side="write"): "0+0x240"},
    "OutputNotArchived": {ours("unsettled_outputs"): "5000+0x240"},
    "RunsLost": {ours("runs", state="lost"): "5+1x240"},
    "RunsFail": {ours("runs", state="failed"): "7+2x240"},
    "RunsWait": {ours("active_runs", job_name="a", executor="celery", state="running"): "0+0x240"},
    "QueueGrows": {ours("queue_length", queue="default"): "500+0x240"},
    "HubLate": {ours("hub_lag_seconds_bucket", le="0.25"): "0+200x240"},
    "RequestsSlow": {ours("http_request_seconds_bucket", le="1.0"): "0+40x240"},
    "ServerFaults": {ours("http_request_seconds_count", route="page", code="500"): "0+1x240"},
    "NodeNearlyFull": {ours("connections"): "9000+0x240"},
    "FewDescriptorsLeft": {of_node("process_open_fds"): "900+0x240"},
}


def promtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None and not os.environ.get("CI"):
        pytest.skip("promtool is not installed: tools/install_test_system.sh does it")
    assert program is not None
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def fired(tmp_path: Path, series: Series) -> set[str]:
    """The alerts that fire when nodes have told `series` for three hours."""
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    expected: list[dict[str, Any]] = [
        {"eval_time": "3h", "alertname": name, "exp_alerts": []} for name in NAMES
    ]
    unit = {
        "interval": "1m",
        "input_series": [{"series": name, "values": value} for name, value in series.items()],
        "alert_rule_test": expected,
    }
    path = tmp_path / "test.yml"
    tests = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [unit]}
    path.write_text(json.dumps(tests))
    result = promtool("test", "rules", path)
    assert (result.returncode == 0) == ("SUCCESS" in result.stdout), result.stderr
    return set(re.findall(r"alertname: ?(\w+)", result.stdout + result.stderr))


def test_the_rules_and_the_configuration_are_accepted(tmp_path: Path) -> None:
    result = promtool("check", "rules", FOLDER / "alerts.yml")
    assert f"{len(RULES)} rules found" in result.stdout, result.stderr
    text = (FOLDER / "prometheus.yml").read_text("utf-8")
    (tmp_path / "token").touch()
    (tmp_path / "prometheus.yml").write_text(
        text.replace("/etc/prometheus/metrics_token", str(tmp_path / "token"))
    )
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    result = promtool("check", "config", tmp_path / "prometheus.yml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_nobody_is_alerted_while_all_is_well(tmp_path: Path) -> None:
    assert fired(tmp_path, WELL) == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_fires_for_what_it_says(tmp_path: Path, name: str) -> None:
    found = fired(tmp_path, {**WELL, **ILL[name]})
    assert found == ({name, "WebNodeGone", "NoWebNode"} if "WebNode" in name else {name})


def test_each_alert_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
