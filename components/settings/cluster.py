"""The cluster section."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from .section import Section
from .values import Cidr, RetentionDays, RoleArn, enumeration, one_of

# Kubernetes versions this project pins add-ons and AMI releases for (see ``releases.py``).
KUBERNETES_VERSIONS = ("1.34",)

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
