"""What grows and shrinks with the load: replicas of services, and what tells an autoscaler about pools of nodes.

Replicas follow HorizontalPodAutoscalers, which ask the metrics APIs: CPU needs metrics-server in the cluster, metrics
of pods and of other systems an adapter such as KEDA's or Prometheus'. Nodes follow the cluster autoscaler, which finds
managed node groups by the tags that EKS puts on them, and reads from the tags here what an empty pool's nodes would
have. None of these is installed from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .naming import component_type
from .settings import PoolConfig

# Cluster autoscaler, "Cluster Autoscaler on AWS", scaling a node group from 0.
_NODE_RESOURCE = "k8s.io/cluster-autoscaler/node-template/resources/"


@dataclass(frozen=True, kw_only=True)
class CpuMetric:
    """The use of the CPU that pods ask for.

    Attributes:
        utilization_percent: on average over the pods; 100 is all that they ask for.
    """

    utilization_percent: int

    def spec(self) -> dict[str, Any]:
        """As a HorizontalPodAutoscaler has it."""
        target = {"type": "Utilization", "average_utilization": self.utilization_percent}
        return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


@dataclass(frozen=True, kw_only=True)
class PodMetric:
    """A number that each pod tells, such as requests in flight.

    Attributes:
        name: as the metrics API has it.
        average: a Kubernetes quantity, wanted of a pod.
    """

    name: str
    average: str

    def spec(self) -> dict[str, Any]:
        """As a HorizontalPodAutoscaler has it."""
        target = {"type": "AverageValue", "average_value": self.average}
        return {"type": "Pods", "pods": {"metric": {"name": self.name}, "target": target}}


@dataclass(frozen=True, kw_only=True)
class ExternalMetric:
    """A number that another system tells, such as a queue's length.

    Attributes:
        name: as the metrics API has it.
        average: of it for each pod, a Kubernetes quantity.
        labels: which of the metrics of that name.
    """

    name: str
    average: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def spec(self) -> dict[str, Any]:
        """As a HorizontalPodAutoscaler has it."""
        metric: dict[str, Any] = {"name": self.name}
        if self.labels:
            metric["selector"] = {"match_labels": dict(self.labels)}
        target = {"type": "AverageValue", "average_value": self.average}
        return {"type": "External", "external": {"metric": metric, "target": target}}


@dataclass(frozen=True, kw_only=True)
class ServiceAutoscalingArgs:
    """How many replicas a Deployment has; of several metrics the one that asks for most decides.

    Attributes:
        namespace: the Deployment's.
        deployment: its name.
        min_replicas: the least replicas, 1 at least.
        max_replicas: the most.
        metrics: what the replicas follow, one at least.
        settle_s: for so long the load must be less before replicas go, for models take minutes to load.

    Raises:
        ValueError: no metric, or bounds that no number of replicas is within.
    """

    namespace: pulumi.Input[str]
    deployment: pulumi.Input[str]
    min_replicas: int
    max_replicas: int
    metrics: tuple[CpuMetric | PodMetric | ExternalMetric, ...]
    settle_s: int = 300

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError("a service without metrics has nothing to follow: give one at least")
        if not 1 <= self.min_replicas <= self.max_replicas:
            raise ValueError(
                f"replicas from {self.min_replicas} to {self.max_replicas}: the least is 1, and the most no less than "
                "the least"
            )
        if not 0 <= self.settle_s <= 3600:
            raise ValueError(f"settle_s is {self.settle_s}, and Kubernetes takes 0 to 3600")


class ServiceAutoscaling(pulumi.ComponentResource):
    """The autoscaler of one Deployment, which then has no ``replicas`` of its own."""

    def __init__(self, name: str, args: ServiceAutoscalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(ServiceAutoscaling), name, None, opts)
        target: Any = {"api_version": "apps/v1", "kind": "Deployment", "name": args.deployment}
        metrics: Any = [metric.spec() for metric in args.metrics]
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            f"{name}-autoscaler",
            metadata={"namespace": args.namespace, "name": args.deployment},
            spec={
                "scale_target_ref": target,
                "min_replicas": args.min_replicas,
                "max_replicas": args.max_replicas,
                "metrics": metrics,
                "behavior": {"scale_down": {"stabilization_window_seconds": args.settle_s}},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def node_template_tags(config: PoolConfig) -> dict[str, str]:
    """Tags that say what a node of an empty autoscaled pool would have; its labels and taints EKS itself tells.

    Needed for what only a device plugin would tell: a pool without nodes has none that runs.
    """
    if not config.autoscaled:
        return {}
    resources = config.instance.pod_resources(config.efa_interfaces)
    return {f"{_NODE_RESOURCE}{name}": amount for name, amount in resources.items()}
