"""What a process node tells of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.node_spec import NodeSpec

MAX_PODS = 110


def node_status(spec: NodeSpec, now: str) -> dict[str, Any]:
    """The Node's status: ready, with the declared capacity."""
    capacity = {"cpu": str(spec.vcpus), "memory": f"{spec.memory_mib}Mi", "pods": str(MAX_PODS)}
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": spec.name},
        ],
        "conditions": [
            _condition("Ready", "True", "KubeletReady", "the node agent serves pods as processes", now),
            *(
                _condition(kind, "False", "NotObserved", "process nodes do not observe it", now)
                for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
            ),
        ],
        "nodeInfo": _node_info(),
    }


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> dict[str, str]:
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, "reason": reason, "message": message, **times}


def _node_info() -> dict[str, str]:
    kernel = Path("/proc/sys/kernel/osrelease").read_text().strip()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {
        "architecture": "amd64",
        "bootID": boot,
        "containerRuntimeVersion": "process://1",
        "kernelVersion": kernel,
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.34.4",
        "machineID": boot,
        "operatingSystem": "linux",
        "osImage": "processes of the host",
        "systemUUID": boot,
    }
