"""Namespaces that say what their pods may be and whom they may talk to.

What a pod may be, the API server itself checks (Pod Security Standards). Whom it may talk to is enforced by the VPC
CNI's node agent, which the cluster's add-on switches on; where nothing enforces them, as on one machine, the policies
are kept and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

Level = Literal["restricted", "baseline", "privileged"]

POD_IDENTITY_AGENT = "169.254.170.23/32"  # EKS guide, "Understand how EKS Pod Identity works"
_POD_SECURITY = "pod-security.kubernetes.io"

Rule = dict[str, Any]


def create_namespace(
    name: str, namespace: str, level: Level, opts: pulumi.ResourceOptions, more: Mapping[str, str] | None = None
) -> kubernetes.core.v1.Namespace:
    """A namespace whose pods are held to ``level``; what ``restricted`` would refuse is in the audit log anyway.

    ``more``: further labels.
    """
    labels = {**(more or {}), **{f"{_POD_SECURITY}/{mode}": level for mode in ("enforce", "warn")}}
    labels[f"{_POD_SECURITY}/audit"] = "restricted"
    return kubernetes.core.v1.Namespace(name, metadata={"name": namespace, "labels": labels}, opts=opts)


def deny_by_default(name: str, namespace: str, opts: pulumi.ResourceOptions) -> kubernetes.networking.v1.NetworkPolicy:
    """No pod of the namespace is reached or reaches anybody, but for what other policies allow."""
    spec: Any = {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}
    metadata: Any = {"name": "default-deny", "namespace": namespace}
    return kubernetes.networking.v1.NetworkPolicy(name, metadata=metadata, spec=spec, opts=opts)


def allow(
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
    *,
    ingress: list[Rule],
    egress: list[Rule],
) -> kubernetes.networking.v1.NetworkPolicy:
    """What the pods with these labels, or without any all, may do beyond :func:`deny_by_default`."""
    spec: Any = {
        "pod_selector": {"match_labels": dict(labels)},
        "policy_types": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": egress,
    }
    metadata: Any = {"name": f"{namespace}-allowed", "namespace": namespace}
    return kubernetes.networking.v1.NetworkPolicy(name, metadata=metadata, spec=spec, opts=opts)


def pods(labels: Mapping[str, str]) -> Rule:
    """A peer: the pods of the policy's own namespace with these labels."""
    return {"pod_selector": {"match_labels": dict(labels)}}


def to_dns() -> Rule:
    """Names are asked of CoreDNS alone, in every cluster under the labels of kube-dns."""
    peer = {
        "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}},
        "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
    }
    return {"to": [peer], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def to_pod_identity() -> Rule:
    """Credentials come from the agent on the pod's own node, and never from the node's metadata service."""
    return {"to": [{"ip_block": {"cidr": POD_IDENTITY_AGENT}}], "ports": [{"protocol": "TCP", "port": 80}]}


def to_aws(vpc_cidr: str) -> Rule:
    """S3's addresses are public ones behind the gateway endpoint, and change: what is excluded is the network itself.

    So a pod reaches neither the API server nor another machine of the VPC on this way.
    """
    outside = {"cidr": "0.0.0.0/0", "except_": [vpc_cidr, "169.254.0.0/16"]}
    return {"to": [{"ip_block": outside}], "ports": [{"protocol": "TCP", "port": 443}]}
