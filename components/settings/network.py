"""The network section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .section import Section
from .values import Cidr, RetentionDays

ZONES = 3

# What nodes and pods without a way out need: EKS guide, "Deploy private clusters with limited internet access".
PRIVATE_CLUSTER_SERVICES = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts")

EndpointService = Literal[
    "autoscaling", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticfilesystem",
    "elasticloadbalancing", "fsx", "kms", "logs", "monitoring", "secretsmanager", "sqs", "ssm", "ssmmessages", "sts",
]  # fmt: skip


class NetworkConfig(Section):
    """The VPC and its three zones."""

    cidr: Cidr = Field(
        description="The VPC's range, /16 to /20: three private and three public subnets are cut from it."
    )
    zones: tuple[str, ...] | None = Field(
        default=None,
        strict=False,
        min_length=ZONES,
        max_length=ZONES,
        description="Zone names; absent: the account's first three.",
    )
    ipv6: bool = Field(
        default=False,
        description="Dual stack: AWS gives the VPC a /56, each subnet has a /64 of it. Stays on once it is on, for AWS "
        "takes back no range that subnets use. Pods and Services stay IPv4.",
    )
    dedicated_subnets: tuple[Literal["accelerator", "storage"], ...] = Field(
        default=(),
        strict=False,
        description="Roles with subnets of their own, cut from what the private ones leave; absent: private subnets.",
    )
    nat: Literal["one", "per_zone", "none"] = Field(
        default="per_zone",
        description="NAT gateways: one is cheaper and a zone's loss cuts all off; none: private endpoints only.",
    )
    reserved_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        strict=False,
        description="Ranges that peers, offices or other regions use; the VPC may not overlap them.",
    )
    interface_endpoints: bool = Field(default=True, description="Private endpoints for endpoint_services.")
    endpoint_services: tuple[EndpointService, ...] | None = Field(
        default=None,
        strict=False,
        min_length=1,
        description="Services with a private endpoint, which bills by the hour and zone; absent: what private "
        "clusters need (ec2, ecr.api, ecr.dkr, eks, eks-auth, logs, sts).",
    )
    endpoint_access: Literal["any_account", "own_account"] = Field(
        default="any_account",
        description="Whose credentials the endpoints take: own_account keeps data from leaving with foreign ones.",
    )
    flow_log_retention_days: RetentionDays = Field(default=90, description="How long flow logs are kept.")

    @property
    def services(self) -> tuple[str, ...]:
        """The services that get a private endpoint."""
        return (self.endpoint_services or PRIVATE_CLUSTER_SERVICES) if self.interface_endpoints else ()
