"""examples/kubernetes: what a cluster would say to it, and whether its parts fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from app.settings import SETTINGS, read_settings
from tools import flask_health

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "kubernetes"
VERSIONS = ("1.29", "1.33", ".".join(kubernetes_validate.latest_version().split(".")[:2]))
Object = dict[str, Any]


def documents(path: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each is not None]


FILES = sorted(FOLDER.glob("*.yaml"))
OBJECTS = [each for path in FILES if path.name != "kustomization.yaml" for each in documents(path)]

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def _resource(group: str, kind: str, spec: Object) -> Object:
    return {
        "type": "object",
        "properties": {
            "apiVersion": {"const": group},
            "kind": {"const": kind},
            "metadata": _NAMED,
            "spec": spec,
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
    }


def _closed(required: list[str], **properties: Object) -> Object:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


# Of kinds that a cluster knows once something is installed there. The fields that are used here,
# after the documentation of KEDA 2.15 and of the Prometheus Operator 0.75; all others are refused.
_WHOLE = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
CUSTOM = {
    "ScaledObject": _resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _closed(
            ["scaleTargetRef", "triggers"],
            scaleTargetRef=_closed(["name"], name=_TEXT),
            minReplicaCount=_WHOLE,
            maxReplicaCount=_WHOLE,
            pollingInterval=_WHOLE,
            cooldownPeriod=_WHOLE,
            advanced=_closed(
                [], horizontalPodAutoscalerConfig=_closed([], behavior={"type": "object"})
            ),
            triggers={
                "type": "array",
                "minItems": 1,
                "items": _closed(
                    ["type", "metadata"],
                    type={"enum": ["redis", "prometheus"]},
                    metadata=_TEXTS,
                    authenticationRef=_closed(["name"], name=_TEXT),
                ),
            },
        ),
    ),
    "TriggerAuthentication": _resource(
        "keda.sh/v1alpha1",
        "TriggerAuthentication",
        _closed(
            ["secretTargetRef"],
            secretTargetRef={
                "type": "array",
                "items": _closed(
                    ["parameter", "name", "key"], parameter=_TEXT, name=_TEXT, key=_TEXT
                ),
            },
        ),
    ),
    "PodMonitor": _resource(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        _closed(
            ["selector", "podMetricsEndpoints"],
            selector=_closed([], matchLabels=_TEXTS),
            podMetricsEndpoints={
                "type": "array",
                "items": _closed(
                    ["port"],
                    port=_TEXT,
                    path=_TEXT,
                    interval=_TEXT,
                    authorization=_closed(
                        [], credentials=_closed(["name", "key"], name=_TEXT, key=_TEXT)
                    ),
                ),
            },
        ),
    ),
}


def named(value: Object) -> str:
    return f"{value['kind']}-{value['metadata']['name']}"


def of_kind(*kinds: str) -> list[Object]:
    return [each for each in OBJECTS if each["kind"] in kinds]


def one(kind: str, name: str) -> Object:
    (found,) = [each for each in of_kind(kind) if each["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("value", OBJECTS, ids=named)
def test_a_cluster_accepts_it(value: Object, version: str) -> None:
    if value["kind"] in CUSTOM:
        jsonschema.validate(value, CUSTOM[value["kind"]])
    else:
        kubernetes_validate.validate(value, version, strict=True)


def test_the_validator_refuses_what_is_wrong() -> None:
    value = one("Deployment", "web")
    wrong: Object = yaml.safe_load(yaml.safe_dump(value))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)
    wrong = yaml.safe_load(yaml.safe_dump(one("ScaledObject", "worker")))
    wrong["spec"]["minReplicas"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, CUSTOM["ScaledObject"])


def test_the_kustomization_has_all_files() -> None:
    (kustomization,) = documents(FOLDER / "kustomization.yaml")
    listed = set(kustomization["resources"])
    apart = {"kustomization.yaml", "monitoring.yaml"}  # of the Prometheus Operator
    assert listed == {path.name for path in FILES} - apart
    images = {each["name"] for each in kustomization["images"]}
    assert images == {each["image"] for _, each in containers()}


def pods() -> Iterator[tuple[Object, Object]]:
    """Each that makes pods, and what its pods are."""
    for each in of_kind("Deployment", "StatefulSet"):
        yield each, each["spec"]["template"]


def containers() -> Iterator[tuple[Object, Object]]:
    for _, template in pods():
        for each in template["spec"]["containers"]:
            yield template, each


def settings() -> dict[str, str]:
    values: dict[str, str] = one("ConfigMap", "settings")["data"]
    return values


def test_the_settings_are_settings() -> None:
    names = {each.name for each in SETTINGS}
    assert set(settings()) <= names
    secret_names = {name.upper() for name in one("Secret", "secrets")["stringData"]}
    assert secret_names <= names
    for _, container in containers():
        for variable in container["env"]:
            if variable["name"] != "REDIS_MAXMEMORY":  # of the image app-redis
                assert names & {variable["name"], variable["name"].removesuffix("_FILE")}


def test_the_server_starts_with_these_settings(tmp_path: Path) -> None:
    environ = {**settings()}
    for name, value in one("Secret", "secrets")["stringData"].items():
        (tmp_path / name).write_text(value)
        environ[f"{name.upper()}_FILE"] = str(tmp_path / name)
    read = read_settings(environ)
    assert read.executor == "celery"
    assert read.log_format == "json"
    assert read.metrics_token


@pytest.mark.parametrize("name", ["web", "worker"])
def test_each_secret_is_read_from_where_it_is_mounted(name: str) -> None:
    ((container),) = one("Deployment", name)["spec"]["template"]["spec"]["containers"]
    folder = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}["secrets"]
    keys = set(one("Secret", "secrets")["stringData"])
    for variable in container["env"]:
        if variable["name"].endswith("_FILE") and variable["name"] != "WORKER_ALIVE_FILE":
            path = Path(variable["value"])
            assert str(path.parent) == folder
            assert path.name in keys
            assert path.name.upper() == variable["name"].removesuffix("_FILE")


def test_nothing_is_allowed_that_is_not_needed() -> None:
    for template, container in containers():
        pod, own = template["spec"]["securityContext"], container["securityContext"]
        assert pod["runAsNonRoot"]
        assert pod["runAsUser"] > 0
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert own["readOnlyRootFilesystem"]
        assert not own["allowPrivilegeEscalation"]
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not template["spec"]["automountServiceAccountToken"]
        if container["image"] == "app-flask":  # jobs may leave processes behind
            assert template["spec"]["shareProcessNamespace"]
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_all_that_is_mounted_is_there() -> None:
    for template, container in containers():
        there = {each["name"] for each in template["spec"]["volumes"]}
        for each in of_kind("StatefulSet"):
            if each["spec"]["template"] is template:
                there |= {
                    claim["metadata"]["name"] for claim in each["spec"]["volumeClaimTemplates"]
                }
        assert {each["name"] for each in container["volumeMounts"]} == there


def test_a_web_node_has_the_time_to_end() -> None:
    template = one("Deployment", "web")["spec"]["template"]["spec"]
    (container,) = template["containers"]
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    needed = int(command[1])
    needed += sum(int(settings()[name]) for name in ("DRAIN_SECONDS", "SHUTDOWN_SECONDS"))
    assert template["terminationGracePeriodSeconds"] >= needed + 10


def test_each_node_is_asked_how_it_does() -> None:
    for template, container in containers():
        assert "readinessProbe" in container, template["metadata"]["labels"]
    (web,) = one("Deployment", "web")["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        program, path, *_ = web[probe]["exec"]["command"]
        assert (program, path) == ("python", "/srv/flask_health.py")
        # Its own patience is shorter: it says what is wrong, rather than being killed.
        assert web[probe]["timeoutSeconds"] > flask_health.SECONDS


def test_selectors_find_pods() -> None:
    labels = [template["metadata"]["labels"] for _, template in pods()]
    wanted = [each["spec"]["selector"] for each in of_kind("Service")]
    wanted += [
        each["spec"]["selector"]["matchLabels"]
        for each in of_kind("Deployment", "StatefulSet", "PodDisruptionBudget", "PodMonitor")
    ]
    wanted += [
        each["spec"]["podSelector"].get("matchLabels", {}) for each in of_kind("NetworkPolicy")
    ]
    for selector in wanted:
        assert [found for found in labels if selector.items() <= found.items()], selector


def test_autoscalers_and_the_ingress_name_what_there_is() -> None:
    names = {named(each) for each in OBJECTS}
    for each in of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        assert f"Deployment-{each['spec']['scaleTargetRef']['name']}" in names
    (rule,) = one("Ingress", "web")["spec"]["rules"]
    for path in rule["http"]["paths"]:
        assert f"Service-{path['backend']['service']['name']}" in names
    assert rule["host"] in settings()["TRUSTED_HOSTS"].split(",")


def test_workers_are_added_for_the_queue_that_they_take() -> None:
    (container,) = one("Deployment", "worker")["spec"]["template"]["spec"]["containers"]
    arguments = container["args"]
    queue = arguments[arguments.index("--queues") + 1]
    concurrency = arguments[arguments.index("--concurrency") + 1]
    waiting, active = one("ScaledObject", "worker")["spec"]["triggers"]
    assert waiting["metadata"]["listName"] == f"flask-realtime:celery:{queue}"
    assert waiting["metadata"]["listLength"] == active["metadata"]["threshold"] == concurrency


def test_the_howto_names_all_files() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    for path in FILES:
        assert f"`{path.name}`" in text, path.name
    for name in re.findall(r"`([\w.-]+\.yaml)`", text):
        assert (FOLDER / name).exists(), name
