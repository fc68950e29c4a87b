"""Smoke tests' jobs as a state has them, and what a bucket holds of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from local.engine import Diagnostic, Result
from local.engine.events import OPS
from local.engine.store import ResourceState
from operations.session import open_store
from operations.workplace import Workplace

URN = "urn:pulumi:local::ai-datacenter::kubernetes:batch/v1:Job::smoke-test-job"
TPU_URN = (
    "urn:pulumi:local::ai-datacenter::ai-datacenter:index:TpuSmokeTest$kubernetes:batch/v1:Job::tpu-smoke-test-job-"
)
NAME = "smoke-test-0a1b2c3d4e"
REASON = "pod p on node n: container train ended with exit code 1 (Error): it is slow"
MADE = "2026-11-24T18:38:00Z"  # before the sample was finished
OUTPUTS = {"datacenter": {"smoke_test": {"job": NAME, "namespace": "smoke-test", "verdict": None}}}


def job(**changed: Any) -> ResourceState:
    train = json.dumps({"job": NAME, "verdict_uri": f"s3://bucket/smoke-test/{NAME}/verdict.json"})
    container = {"env": [{"name": "NODE_NAME", "valueFrom": {}}, {"name": "TRAIN_CONFIG", "value": train}]}
    pods = {"spec": {"containers": [container]}}
    state = ResourceState(
        urn=URN, type="kubernetes:batch/v1:Job", custom=True, id=f"smoke-test/{NAME}",
        inputs={"metadata": {"name": NAME, "namespace": "smoke-test"}, "spec": {"template": pods}},
        outputs={"metadata": {"creationTimestamp": MADE}}, init_errors=(REASON,), created=MADE, modified=MADE,
    )  # fmt: skip
    return replace(state, **changed)


def on_slice(number: int, reason: str = "") -> ResourceState:
    """The job of a TPU slice, which passed or failed."""
    name = f"tpu-smoke-test-v6e-{number}"
    train = json.dumps({"job": name, "verdict_uri": f"s3://bucket/smoke-test/{name}/verdict.json"})
    pods = {"spec": {"containers": [{"env": [{"name": "TRAIN_CONFIG", "value": train}]}]}}
    return job(
        urn=f"{TPU_URN}{number}", id=f"smoke-test/{name}", init_errors=(reason,) if reason else (),
        inputs={"metadata": {"name": name, "namespace": "smoke-test"}, "spec": {"template": pods}},
    )  # fmt: skip


def keep(place: Workplace, *states: ResourceState) -> None:
    """Put resources into the stack's state."""
    store = open_store(place)
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.record(put=list(states))
        store.commit(journal.snapshot())


def failed(*urns: str) -> Result:
    errors = tuple(Diagnostic("error", "the job failed", urn) for urn in urns)
    return Result("up", dict.fromkeys(OPS, 0), (), OUTPUTS, OUTPUTS, errors, 3.0, {}, {})  # type: ignore[arg-type]
