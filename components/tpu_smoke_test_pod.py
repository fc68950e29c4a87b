"""What the smoke test's pods on TPU slices are: name, template and rights as plain values."""

from __future__ import annotations

import json
from typing import Any

from .naming import JOB_LIMIT, digest, fit
from .settings import SmokeTestConfig, TpuPoolConfig
from .smoke_test_pod import COORDINATOR_PORT, PREFIX, SERVICE, Buckets, one_a_node, train_config
from .tpu_pool import ACCELERATOR_LABEL, NODE_POOL_LABEL, TOPOLOGY_LABEL

AUDIENCE = "sts.amazonaws.com"
LABELS = {"app.kubernetes.io/name": SERVICE}
KEYS = f"{PREFIX}/slices"  # of its checkpoints and verdicts
_TOKEN_FOLDER = "/var/run/secrets/sts.amazonaws.com"


def job_name(config: SmokeTestConfig, pool: TpuPoolConfig, index: int, image: str) -> str:
    """The job's name: another one exactly when the slices, the image or the test's configuration are others.

    How many slices there are is no part of it: one more is no reason to test the others again. What is left at its
    default counts as absent, as in :func:`components.smoke_test_pod.job_name`.
    """
    tested = {"pool": pool.model_dump(mode="json", exclude={"slices"}, exclude_defaults=True), "image": image}
    tested |= {"test": config.model_dump(mode="json", exclude_defaults=True), "accelerator": pool.machine.row()}
    return fit(SERVICE, "tpu", str(index), digest(json.dumps(tested, sort_keys=True))[:10], limit=JOB_LIMIT)


def template(
    config: SmokeTestConfig, pool: TpuPoolConfig, job: str, node_pool: str, *, account: str, namespace: str, image: str,
    buckets: Buckets, role_arn: str, region: str,
) -> dict[str, Any]:  # fmt: skip
    """The pod template of one slice's job: a pod takes all chips of a machine, and no two share one.

    Args:
        node_pool: where the slice is.
        role_arn: the role that the pods take in AWS, in whose ``region`` the buckets are.
    """
    where = {"AWS_REGION": region, "AWS_ROLE_ARN": role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_TOKEN_FOLDER}/token"}
    environment = _environment(config, pool, job, namespace, buckets) | where
    resource = str(pool.machine.device_resource)
    chips = {resource: str(pool.machine.chips)}
    cpu, memory = f"{max(1, pool.machine.vcpus // 2)}", f"{pool.machine.memory_gib // 2}Gi"
    token = {"audience": AUDIENCE, "expiration_seconds": 3600, "path": "token"}
    container = {
        "name": "train",
        "image": image,
        "command": ["python", "-m", "train"],
        "env": [
            *({"name": name, "value": value} for name, value in environment.items()),
            {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}},
        ],
        "resources": {"requests": {"cpu": cpu, "memory": memory, **chips}, "limits": chips},
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}},
        "volume_mounts": [
            {"name": "shm", "mount_path": "/dev/shm"},
            {"name": "token", "mount_path": _TOKEN_FOLDER, "read_only": True},
        ],
        "termination_message_policy": "FallbackToLogsOnError",
    }
    return {
        "metadata": {"labels": {**LABELS, "ai-datacenter/job": job}},
        "spec": {
            "restart_policy": "Never",
            "subdomain": SERVICE,
            "service_account_name": account,
            "automount_service_account_token": False,
            "node_selector": {
                ACCELERATOR_LABEL: pool.machine.gke_accelerator,
                TOPOLOGY_LABEL: pool.topology,
                NODE_POOL_LABEL: node_pool,
            },
            "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": one_a_node(LABELS),
            "security_context": {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}},
            "termination_grace_period_seconds": 30,
            "containers": [container],
            "volumes": [
                {"name": "shm", "empty_dir": {"medium": "Memory", "size_limit": f"{pool.machine.memory_gib // 8}Gi"}},
                {"name": "token", "projected": {"sources": [{"service_account_token": token}]}},
            ],
        },
    }


def _environment(
    config: SmokeTestConfig, pool: TpuPoolConfig, job: str, namespace: str, buckets: Buckets
) -> dict[str, str]:
    train = train_config(config, job, buckets, KEYS)
    return {
        "JAX_COORDINATOR_ADDRESS": f"{job}-0.{SERVICE}.{namespace}.svc:{COORDINATOR_PORT}",
        "JAX_NUM_PROCESSES": str(pool.slice.hosts),
        "TRAIN_CONFIG": json.dumps(train, sort_keys=True),
        "ACCELERATOR": json.dumps(pool.machine.row(), sort_keys=True),
    }


def federated_trust(provider_arn: str, issuer_url: str, namespace: str, account: str) -> dict[str, Any]:
    """The trust policy of a role for the tokens that a cluster elsewhere gives to one of its service accounts."""
    issuer = issuer_url.removeprefix("https://")
    claims = {f"{issuer}:aud": AUDIENCE, f"{issuer}:sub": f"system:serviceaccount:{namespace}:{account}"}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
