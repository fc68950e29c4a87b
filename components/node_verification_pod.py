"""What the pods that check nodes are: template as plain values."""

from __future__ import annotations

import json
from typing import Any

from .node_group import POOL_LABEL
from .node_verification_rights import ACCOUNT
from .settings import UNVERIFIED
from .verified_nodes import CheckedNodes

LABELS = {"app.kubernetes.io/name": "node-verification"}
_USER = 10_001  # of workloads/Dockerfile
_CREDENTIALS = "/var/run/secrets/kubernetes.io/serviceaccount"  # where every client looks for them
_TOKEN_S = 3600  # the kubelet renews it
# Tens of seconds suffice on every machine that is well; what hangs is told and begun again.
_CHECKS = {"checks": "strict", "startup_timeout_s": 120, "step_timeout_s": 120}


def labels(nodes: CheckedNodes) -> dict[str, str]:
    """What the pods of one kind of nodes bear, and no others."""
    return {**LABELS, POOL_LABEL: nodes.pool, **nodes.labels}


def template(nodes: CheckedNodes, *, image: str) -> dict[str, Any]:
    """The pod template for equal nodes: a pod takes all chips of its node, which nobody else may have yet."""
    machine = nodes.machine
    devices = machine.pod_resources(0)  # the fabric is not tried: a node is checked alone
    half = {"cpu": f"{max(1, machine.vcpus // 2)}", "memory": f"{machine.memory_gib // 2}Gi"} if nodes.reserved else {}
    environment = {
        "ACCELERATOR": json.dumps(nodes.row, sort_keys=True),
        "KUBERNETES_CREDENTIALS": _CREDENTIALS,
        "TRAIN_CONFIG": json.dumps(_CHECKS, sort_keys=True),
    }
    node_name = {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}
    container = {
        "name": "checks",
        "image": image,
        "command": ["python", "-m", "train.checks", "--verify-node"],
        "env": [*({"name": key, "value": value} for key, value in environment.items()), node_name],
        "resources": {"requests": {**half, **devices}, "limits": devices},
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}},
        "volume_mounts": [
            {"name": "shm", "mount_path": "/dev/shm"},
            {"name": "credentials", "mount_path": _CREDENTIALS, "read_only": True},
        ],
        "termination_message_policy": "FallbackToLogsOnError",
    }
    shared = {"medium": "Memory", "size_limit": f"{max(1, machine.memory_gib // 8)}Gi"}
    return {
        "metadata": {"labels": labels(nodes)},
        "spec": {
            "service_account_name": ACCOUNT,
            "automount_service_account_token": False,  # the one below is this pod's, and does not last
            "node_selector": {POOL_LABEL: nodes.pool, **nodes.labels, UNVERIFIED: "true"},
            "tolerations": [
                *({"key": taint.key, "operator": "Exists", "effect": taint.effect} for taint in nodes.taints),
                {"key": UNVERIFIED, "operator": "Exists", "effect": "NoSchedule"},
            ],
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": _USER,
                "run_as_group": _USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "shm", "empty_dir": shared}, {"name": "credentials", "projected": _credentials()}],
        },
    }


def _credentials() -> dict[str, Any]:
    token = {"path": "token", "expiration_seconds": _TOKEN_S}
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {"sources": [{"service_account_token": token}, {"config_map": authority}]}
