"""Namespaces that say what their pods may be and whom they may talk to.

What a pod may be, the API server itself checks (Pod Security Standards). Whom it may talk to is enforced by the VPC
CNI's node agent, which the cluster's add-on switches on, and in GKE by its dataplane; where nothing enforces them, as
on one machine, the policies are kept and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
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


def confine(
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
    *,
    egress: Sequence[Rule],
    among_themselves: bool = True,
) -> list[pulumi.Resource]:
    """No pod of the namespace is reached or reaches anybody, but those with these labels, or without any all.

    These reach what ``egress`` says, and each other on whatever ports they choose, if ``among_themselves``. EFA's
    traffic passes no kernel, and is the fabric security group's business.
    """
    own: Rule = {"pod_selector": {"match_labels": dict(labels)}}
    both = {"policy_types": ["Ingress", "Egress"]}
    denied: Any = {"pod_selector": {}, **both}
    allowed: Any = {
        **own,
        **both,
        "ingress": [{"from_": [own]}] if among_themselves else [],
        "egress": [*([{"to": [own]}] if among_themselves else []), *egress],
    }
    policies = {"default-deny": ("default-deny", denied), "allowed": (f"{namespace}-allowed", allowed)}
    return [
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-{label}", metadata={"name": known_as, "namespace": namespace}, spec=spec, opts=opts
        )
        for label, (known_as, spec) in policies.items()
    ]


def in_aws(vpc_cidr: str) -> list[Rule]:
    """What a pod of the stack's cluster reaches beyond its own: names, its credentials, and S3."""
    return [to_dns(), to_pod_identity(), to_aws(vpc_cidr)]


def to_dns(*caches: str) -> Rule:
    """Names are asked of CoreDNS alone, everywhere under the labels of kube-dns; ``caches``: what answers for it."""
    peers = [
        {
            "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}},
            "pod_selector": {"match_labels": {"k8s-app": app}},
        }
        for app in ("kube-dns", *caches)
    ]
    return {"to": peers, "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def to_pod_identity() -> Rule:
    """Credentials come from the agent on the pod's own node, and never from the node's metadata service."""
    return {"to": [{"ip_block": {"cidr": POD_IDENTITY_AGENT}}], "ports": [{"protocol": "TCP", "port": 80}]}


def to_api_server(vpc_cidr: str, service_cidr: str) -> Rule:
    """The API server is the first of the Services' addresses, and behind it the cluster's interfaces in the VPC.

    Which addresses of the VPC those are, EKS changes when it likes.
    """
    service = f"{next(ip_network(service_cidr).hosts())}/32"
    peers = [{"ip_block": {"cidr": cidr}} for cidr in (service, vpc_cidr)]
    return {"to": peers, "ports": [{"protocol": "TCP", "port": 443}]}


def to_aws(*own_cidrs: str) -> Rule:
    """S3's addresses are public ones, and change: what is excluded is the network itself, by its ranges.

    So a pod reaches neither the API server nor another machine of the network on this way.
    """
    outside = {"cidr": "0.0.0.0/0", "except_": [*own_cidrs, "169.254.0.0/16"]}
    return {"to": [{"ip_block": outside}], "ports": [{"protocol": "TCP", "port": 443}]}
