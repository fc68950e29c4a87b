"""The cluster section."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from .section import Conflict, Section, rule_of
from .values import Cidr, RetentionDays, RoleArn, enumeration, one_of

# Kubernetes versions this project pins add-ons and AMI releases for (see ``releases.py``).
KUBERNETES_VERSIONS = ("1.34",)

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))

KubernetesVersion = Annotated[str, one_of("Kubernetes version", KUBERNETES_VERSIONS), enumeration(KUBERNETES_VERSIONS)]


class ClusterConfig(Section):
    """The EKS cluster."""

    version: KubernetesVersion = Field(default=KUBERNETES_VERSIONS[-1], description="Kubernetes version.")
    service_cidr: Cidr = Field(
        default=IPv4Network("172.20.0.0/16"), description="Range of the Services' addresses, /12 to /24."
    )
    public_access_cidrs: tuple[Cidr, ...] = Field(
        default=(), strict=False, description="Ranges that reach the API endpoint from outside; empty: private only."
    )
    administrators: tuple[RoleArn, ...] = Field(
        default=(), strict=False, description="Roles that administer the cluster."
    )
    log_retention_days: RetentionDays = Field(default=90, description="How long control-plane logs are kept.")


@rule_of(ClusterConfig)
def _size(cluster: ClusterConfig) -> Iterator[Conflict]:
    service = cluster.service_cidr
    if not 12 <= service.prefixlen <= 24:
        yield Conflict(key=("service_cidr",), message=f"{service} must be a /12 to a /24")


@rule_of(ClusterConfig)
def _private(cluster: ClusterConfig) -> Iterator[Conflict]:
    """EKS API reference, KubernetesNetworkConfigRequest."""
    service = cluster.service_cidr
    if not any(service.subnet_of(block) for block in _PRIVATE):
        blocks = ", ".join(map(str, _PRIVATE))
        yield Conflict(key=("service_cidr",), message=f"{service} must be within one of {blocks}")


@rule_of(ClusterConfig)
def _open_to_everyone(cluster: ClusterConfig) -> Iterator[Conflict]:
    for index, open_range in enumerate(cluster.public_access_cidrs):
        if open_range.prefixlen == 0:
            message = f"{open_range} opens the API endpoint to everyone: name the ranges that need it"
            yield Conflict(key=("public_access_cidrs", index), message=message)
