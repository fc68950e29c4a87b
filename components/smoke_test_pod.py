"""What the smoke test's pods are: name, template and rights as plain values."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .accelerators import Vendor
from .key_access import through_s3
from .naming import JOB_LIMIT, digest, fit
from .node_group import POOL_LABEL, ami_release, taints
from .settings import PoolConfig, SmokeTestConfig

SERVICE = "smoke-test"
NAMESPACE = "smoke-test"
ACCOUNT = "train"
SLACK_S = 120  # beyond the job's own deadline, so that its failure is told and not Pulumi's impatience
PREFIX = "smoke-test"  # of the keys of all smoke tests, in the buckets of checkpoints and of data
KEYS = f"{PREFIX}/nodes"  # of this one's: no key of the slices' tests begins so
LABELS = {"app.kubernetes.io/name": SERVICE}
COORDINATOR_PORT = 55527  # jax.distributed's default
_NEURON_PORT = 62182  # where Neuron's collectives meet; torch-neuronx' default
_INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
# neuronx-cc takes minutes for what XLA compiles in seconds, and a stage of the checks waits for several programs.
_NEURON_STEP_S = 600
_STARTUP_S = 120  # as the job has it by itself


class Buckets(NamedTuple):
    """Where a smoke test's checkpoints go, which may expire, and its verdict, which may not."""

    checkpoints: str
    verdicts: str


def job_name(config: SmokeTestConfig, pool: PoolConfig, image_digest: str, kubernetes_version: str) -> str:
    """The job's name: another one exactly when the pool, the image or the test's configuration is another.

    Kubernetes' version and the AMI's release count as the pool's, for with another one its nodes are others. What is
    left at its default counts as absent: a release that knows one more field is no reason to test again. When nodes
    come and go, which a calendar says, changes none of them.
    """
    pool_ = pool.model_dump(mode="json", exclude_defaults=True, exclude={"calendar"})
    test = config.model_dump(mode="json", exclude_defaults=True)
    tested = {"pool": pool_, "image": image_digest, "test": test, "accelerator": pool.instance.row()}
    tested["nodes"] = {"kubernetes": kubernetes_version, "ami": ami_release(pool, kubernetes_version)}
    return fit(SERVICE, digest(json.dumps(tested, sort_keys=True))[:10], limit=JOB_LIMIT)


def verdict_key(job: str, keys: str = KEYS) -> str:
    """The verdict's key in the data bucket, where nothing expires: it is read for as long as what it proves stands.

    Args:
        keys: what the keys of its kind of test begin with.
    """
    return f"{keys}/{job}/verdict.json"


def train_config(config: SmokeTestConfig, job: str, buckets: Buckets, keys: str = KEYS) -> dict[str, Any]:
    """What the job is told to do, on nodes and on slices alike."""
    return {
        "job": job,
        "steps": config.steps,
        "seed": config.seed,
        "checks": config.checks,
        **tolerance(config),
        # What a failed attempt left behind would stand in for steps that these nodes are to prove.
        "resume": False,
        # Pods start as far apart as nodes come, pull the image, or wait until somebody has pushed it.
        "startup_timeout_s": max(_STARTUP_S, config.timeout_s // 2),
        "checkpoint_uri": f"s3://{buckets.checkpoints}/{keys}/{job}/",
        "verdict_uri": f"s3://{buckets.verdicts}/{verdict_key(job, keys)}",
    }


def template(
    config: SmokeTestConfig, pool: PoolConfig, job: str, namespace: str, account: str, *, image: str, buckets: Buckets
) -> dict[str, Any]:
    """The job's pod template: a pod takes a whole node of the pool, and no two share one."""
    labels = {**LABELS, "ai-datacenter/job": job}
    return {
        "metadata": {"labels": labels},
        "spec": {
            "restart_policy": "Never",
            "subdomain": SERVICE,
            "service_account_name": account,
            "automount_service_account_token": False,
            "node_selector": {POOL_LABEL: config.pool},
            "tolerations": [{"key": taint.key, "operator": "Exists", "effect": taint.effect} for taint in taints(pool)],
            "affinity": one_a_node(labels),
            "security_context": {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}},
            "termination_grace_period_seconds": 30,
            "containers": [_container(config, pool, job, namespace, image, buckets)],
            "volumes": [{"name": "shm", "empty_dir": {"medium": "Memory", "size_limit": f"{_shared_gib(pool)}Gi"}}],
        },
    }


def _container(
    config: SmokeTestConfig, pool: PoolConfig, job: str, namespace: str, image: str, buckets: Buckets
) -> dict[str, Any]:
    devices = pool.instance.pod_resources(pool.adapters)
    # Half a node leaves room for what every node runs; the chips, not the CPUs, keep others away.
    cpu, memory = f"{max(1, pool.instance.vcpus // 2)}", f"{pool.instance.memory_gib // 2}Gi"
    return {
        "name": "train",
        "image": image,
        "command": ["python", "-m", "train"],
        "env": [
            *({"name": key, "value": value} for key, value in _environment(config, pool, job, namespace, buckets)),
            *_neuron_environment(pool, job, namespace),
            {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}},
        ],
        "resources": {"requests": {"cpu": cpu, "memory": memory, **devices}, "limits": devices},
        # No IPC_LOCK for EFA: a container's user that is not root gets none of it. The node's limit is lifted instead.
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}},
        "volume_mounts": [{"name": "shm", "mount_path": "/dev/shm"}],
        "termination_message_policy": "FallbackToLogsOnError",
    }


def _environment(
    config: SmokeTestConfig, pool: PoolConfig, job: str, namespace: str, buckets: Buckets
) -> list[tuple[str, str]]:
    train = train_config(config, job, buckets)
    if pool.instance.vendor is Vendor.NEURON:
        train["step_timeout_s"] = _NEURON_STEP_S
    return [
        ("JAX_COORDINATOR_ADDRESS", f"{job}-0.{SERVICE}.{namespace}.svc:{COORDINATOR_PORT}"),
        ("JAX_NUM_PROCESSES", str(pool.desired_size)),
        ("TRAIN_CONFIG", json.dumps(train, sort_keys=True)),
        ("ACCELERATOR", json.dumps(pool.instance.row() | {"efa_interfaces": pool.adapters}, sort_keys=True)),
    ]


def tolerance(config: SmokeTestConfig) -> dict[str, float]:
    """What the job is told of it: nothing where the stack file says nothing."""
    percent = config.tolerated_percent
    return {} if percent is None else {"tolerated_slowness": round(percent / 100, 6)}


def _neuron_environment(pool: PoolConfig, job: str, namespace: str) -> list[dict[str, Any]]:
    """What Neuron's plugin must know of the other nodes beside what JAX knows; nothing on one node, or for other chips.

    AWS Neuron documentation, tutorials of training with JAX (AXLearn on Trn2).
    """
    if pool.instance.vendor is not Vendor.NEURON or pool.desired_size < 2:
        return []
    devices = ",".join([str(pool.instance.devices)] * pool.desired_size)
    return [
        {"name": "NEURON_RT_ROOT_COMM_ID", "value": f"{job}-0.{SERVICE}.{namespace}.svc:{_NEURON_PORT}"},
        {"name": "NEURON_PJRT_PROCESSES_NUM_DEVICES", "value": devices},
        {"name": "NEURON_PJRT_PROCESS_INDEX", "value_from": {"field_ref": {"field_path": _INDEX}}},
    ]


def one_a_node(labels: dict[str, str]) -> dict[str, Any]:
    """The affinity by which no two pods with these labels share a node."""
    term = {"label_selector": {"match_labels": labels}, "topology_key": "kubernetes.io/hostname"}
    return {"pod_anti_affinity": {"required_during_scheduling_ignored_during_execution": [term]}}


def _shared_gib(pool: PoolConfig) -> int:
    """Shared memory for the collectives' processes on a node: an eighth of it."""
    return max(1, pool.instance.memory_gib // 8)


def bucket_access(
    checkpoint_bucket_arn: str, verdict_bucket_arn: str, key_arn: str, region: str, keys: str = KEYS
) -> dict[str, Any]:
    """Read and write checkpoints and write verdicts, of its own kind of test, and nothing else.

    Args:
        region: where the buckets are.
        keys: what theirs begin with.
    """
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    listing: dict[str, Any] = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": checkpoint_bucket_arn}
    listing["Condition"] = {"StringLike": {"s3:prefix": f"{keys}/*"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": objects, "Resource": f"{checkpoint_bucket_arn}/{keys}/*"},
            listing,
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{verdict_bucket_arn}/{verdict_key('*', keys)}"},
            through_s3(["kms:Decrypt", "kms:GenerateDataKey"], key_arn, region),
        ],
    }
