"""What a node is, whatever carries it: its place, its size, its labels and taints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.files import write_atomically

FILE = "node.json"
POOL_LABELS = "ai-datacenter/labels"
"""The annotation of a Node that names the labels of its group, so that those that the group drops are taken off."""


@dataclass(frozen=True)
class Taint:
    """A Kubernetes taint; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True)
class NodeSpec:
    """One node of a node group; the sizes are what it declares, not what this machine has.

    ``tags`` are the instance's: those of the launch template and those that EKS sets. ``cloud`` is whose names its
    labels and its provider id have: ``aws`` or ``gcp``. ``first_labels`` and ``first_taints`` are those that its
    kubelet registers it with, beside the group's: nobody puts them back.
    """

    name: str
    nodegroup: str
    instance_type: str
    zone: str
    vcpus: int
    memory_mib: int
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    cloud: str = "aws"
    first_labels: Mapping[str, str] = field(default_factory=dict)
    first_taints: tuple[Taint, ...] = ()

    @classmethod
    def find(cls, folder: Path) -> NodeSpec | None:
        """From the node's folder; None where it holds no whole one."""
        try:
            return cls.read(folder)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def of_folders(cls, folder: Path, nodegroup: str | None) -> list[NodeSpec]:
        """Those of the nodes that have a folder in ``folder``, of one group or all."""
        if not folder.is_dir():
            return []
        specs = [cls.find(one) for one in sorted(folder.iterdir()) if one.is_dir()]
        return [spec for spec in specs if spec is not None and nodegroup in (None, spec.nodegroup)]

    @classmethod
    def read(cls, folder: Path) -> NodeSpec:
        """From the node's folder; raises OSError or ValueError when it holds none."""
        fields = json.loads((folder / FILE).read_text())
        for name in ("taints", "first_taints"):
            fields[name] = tuple(Taint(**taint) for taint in fields.get(name, ()))
        return cls(**fields)

    def write(self, folder: Path) -> None:
        """Into the node's folder."""
        write_atomically(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")

    def all_labels(self) -> dict[str, str]:
        """The labels that the cloud and the kubelet set, and the group's own."""
        of_aws = self.cloud == "aws"
        return {
            **self.labels,
            **({"eks.amazonaws.com/nodegroup": self.nodegroup} if of_aws else {}),
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "node.kubernetes.io/instance-type": self.instance_type,
            "topology.kubernetes.io/zone": self.zone,
            "topology.kubernetes.io/region": self.zone[:-1] if of_aws else self.zone.rpartition("-")[0],
        }

    def registered_labels(self) -> dict[str, str]:
        """Those of the first moment."""
        return {**self.first_labels, **self.all_labels()}

    def registered_taints(self) -> tuple[Taint, ...]:
        """Those of the first moment; a group's may be among those that its kubelets are told, too."""
        known = {(taint.key, taint.effect) for taint in self.taints}
        return (*self.taints, *(taint for taint in self.first_taints if (taint.key, taint.effect) not in known))

    def annotations(self) -> dict[str, str]:
        """What the Node records for whoever changes it next."""
        return {POOL_LABELS: ",".join(sorted(self.labels))}

    @property
    def provider_id(self) -> str:
        """As the cloud's controller writes it."""
        return f"{'aws' if self.cloud == 'aws' else 'gce'}:///{self.zone}/{self.name}"

    def manifest(self) -> dict[str, Any]:
        """The Node object without its status."""
        taints = [asdict(taint) for taint in self.registered_taints()]
        metadata = {"name": self.name, "labels": self.registered_labels(), "annotations": self.annotations()}
        spec = {"providerID": self.provider_id, "taints": taints}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}
