"""The measured job is the declared one under another name, and its first step is told by its log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.training import copy_of, first_step_at, verdict_of
from local.paths import LocalCloudError

LABELS = {
    "app.kubernetes.io/name": "smoke-test", "ai-datacenter/job": "smoke-test-abc", "controller-uid": "1",
    "batch.kubernetes.io/controller-uid": "1", "batch.kubernetes.io/job-name": "smoke-test-abc",
    "job-name": "smoke-test-abc",
}  # fmt: skip
CONTAINER = {
    "name": "train",
    "env": [
        {"name": "TRAIN_CONFIG", "value": json.dumps({"verdict_uri": "s3://bucket/smoke-test/smoke-test-abc/v.json"})},
        {"name": "JAX_COORDINATOR_ADDRESS", "value": "smoke-test-abc-0.smoke-test.smoke-test.svc:55527"},
        {"name": "JAX_COMPILATION_CACHE_DIR", "value": "/old"},
    ],
}
DECLARED: dict[str, Any] = {
    "metadata": {"name": "smoke-test-abc", "uid": "1"},
    "spec": {
        "completions": 2,
        "selector": {"matchLabels": {"controller-uid": "1"}},
        "template": {"metadata": {"labels": LABELS}, "spec": {"subdomain": "smoke-test", "containers": [CONTAINER]}},
    },
}
LOG = (
    "2026-11-24T12:00:01.000000001Z train: training (process 0 of 2 on a)\n"
    "2026-11-24T12:00:04.250000001Z train: step 1: loss 6.0, 265 tokens/s, 8.50 s after the process started\n"
    '2026-11-24T12:00:05.000000001Z {"passed": true, "first_step_s": 8.5}\n'
)


def test_a_copy_has_its_own_name_wherever_the_declared_one_stood_and_its_own_cache() -> None:
    copy = copy_of(DECLARED, "bench-1", "/cache")
    assert "smoke-test-abc" not in json.dumps(copy)
    container = copy["spec"]["template"]["spec"]["containers"][0]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert env["JAX_COORDINATOR_ADDRESS"] == "bench-1-0.smoke-test.smoke-test.svc:55527"
    assert env["JAX_COMPILATION_CACHE_DIR"] == "/cache"
    assert copy["spec"]["completions"] == 2


def test_a_copy_does_not_claim_the_pods_of_the_declared_job() -> None:
    copy = copy_of(DECLARED, "bench-1", "/cache")
    labels = {"app.kubernetes.io/name": "smoke-test", "ai-datacenter/job": "bench-1"}
    assert copy["spec"]["template"]["metadata"]["labels"] == labels
    assert "selector" not in copy["spec"]
    assert "selector" in DECLARED["spec"]


def test_the_first_step_s_time_is_that_of_its_line() -> None:
    assert first_step_at(LOG) == 1795521604.25
    assert verdict_of(LOG)["first_step_s"] == 8.5


def test_a_log_without_a_first_step_is_told_with_its_end() -> None:
    with pytest.raises(LocalCloudError, match=r"(?s)tells no first step; it ends:.*training \(process 0"):
        first_step_at(LOG.splitlines()[0])
