"""The autoscaler's object is one that a real API server takes, every field of it."""

from __future__ import annotations

import json

import pytest

from components.autoscaling import CpuMetric, ExternalMetric, PodMetric
from local.control_plane import ControlPlane
from tests.components.test_autoscaling import autoscaler

pytestmark = pytest.mark.real
METRICS = (
    CpuMetric(utilization_percent=70),
    PodMetric(name="in_flight", average="4"),
    ExternalMetric(name="queue_length", average="10", labels={"queue": "llm"}),
)


def test_the_api_server_takes_it_and_knows_every_field(plane: ControlPlane) -> None:
    told = json.dumps(autoscaler(metrics=METRICS, namespace="default"))
    declared = json.loads(told, parse_float=lambda text: int(float(text)))  # the mocks' numbers are all floats
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers?dryRun=All&fieldValidation=Strict"
    body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", **declared}
    taken = plane.api().create(path, body)
    assert [metric["type"] for metric in taken["spec"]["metrics"]] == ["Resource", "Pods", "External"]
    assert taken["spec"]["scaleTargetRef"] == declared["spec"]["scaleTargetRef"]
