"""What a node is: its place, its size, its labels and taints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.processes import write_atomically

FILE = "node.json"
MAX_PODS = 110


@dataclass(frozen=True)
class Taint:
    """A Kubernetes taint; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True)
class NodeSpec:
    """One node of a node group; the sizes are what it declares, not what this machine has."""

    name: str
    nodegroup: str
    instance_type: str
    zone: str
    vcpus: int
    memory_mib: int
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> NodeSpec:
        """From the node's folder; raises OSError or ValueError when it holds none."""
        fields = json.loads((folder / FILE).read_text())
        taints = tuple(Taint(**taint) for taint in fields.pop("taints"))
        return cls(**fields, taints=taints)

    def write(self, folder: Path) -> None:
        """Into the node's folder."""
        write_atomically(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")

    def all_labels(self) -> dict[str, str]:
        """The labels that EKS and the kubelet set, and the group's own."""
        return {
            **self.labels,
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "eks.amazonaws.com/nodegroup": self.nodegroup,
            "node.kubernetes.io/instance-type": self.instance_type,
            "topology.kubernetes.io/zone": self.zone,
            "topology.kubernetes.io/region": self.zone[:-1],
        }

    def manifest(self) -> dict[str, Any]:
        """The Node object without its status."""
        taints = [asdict(taint) for taint in self.taints]
        metadata = {"name": self.name, "labels": self.all_labels()}
        spec = {"providerID": f"aws:///{self.zone}/{self.name}", "taints": taints}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}

    def status(self, now: str) -> dict[str, Any]:
        """The Node's status: ready, with the declared capacity."""
        capacity = {"cpu": str(self.vcpus), "memory": f"{self.memory_mib}Mi", "pods": str(MAX_PODS)}
        return {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": self.name},
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
