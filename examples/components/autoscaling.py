"""Replicas of a Deployment that is there, by the CPU that its pods use; needs metrics-server in the cluster.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
"""

import pulumi
import pulumi_kubernetes as kubernetes

from components.autoscaling import CpuMetric, ServiceAutoscaling, ServiceAutoscalingArgs

namespace = kubernetes.core.v1.Namespace("own", metadata={"name": "inference"})

autoscaling = ServiceAutoscaling(
    "llm",
    ServiceAutoscalingArgs(
        namespace=namespace.metadata.apply(lambda metadata: metadata.name or ""),
        deployment="llm",
        min_replicas=2,
        max_replicas=12,
        metrics=(CpuMetric(utilization_percent=70),),
    ),
)

pulumi.export("autoscaling_urn", autoscaling.urn)
