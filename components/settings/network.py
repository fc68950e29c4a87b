"""The network section."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field

from components.accelerators import zones_of

from .section import Conflict, Section, rule_of
from .values import Cidr, RetentionDays

ZONES = 3

# What nodes and pods without a way out need: EKS guide, "Deploy private clusters with limited internet access".
PRIVATE_CLUSTER_SERVICES = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts")

EndpointService = Literal[
    "autoscaling", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticfilesystem",
    "elasticloadbalancing", "fsx", "kms", "logs", "monitoring", "secretsmanager", "sqs", "ssm", "ssmmessages", "sts",
]  # fmt: skip


def vpc_range(cidr: IPv4Network) -> Iterator[Conflict]:
    """What the cidr of a section may not be for a VPC to have it."""
    if not 16 <= cidr.prefixlen <= 20:
        yield Conflict(key=("cidr",), message=f"{cidr} must be a /16 to a /20")
    if cidr.is_loopback or cidr.is_link_local or cidr.is_multicast or cidr.is_unspecified:
        yield Conflict(key=("cidr",), message=f"{cidr} is no range that machines can have addresses of")


def too_few_zones(region: str) -> Iterator[Conflict]:
    """Whether a VPC of this project has no room in the region of a section; of some regions the zones are not known."""
    known = zones_of(region)
    if known and len(known) < ZONES:
        message = f"{region} has {len(known)} zones ({', '.join(known)}), and the network takes {ZONES}"
        yield Conflict(key=("region",), message=message)


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


@rule_of(NetworkConfig)
def _range(network: NetworkConfig) -> Iterator[Conflict]:
    yield from vpc_range(network.cidr)


@rule_of(NetworkConfig)
def _reserved_ranges(network: NetworkConfig) -> Iterator[Conflict]:
    for index, reserved in enumerate(network.reserved_cidrs):
        if reserved.overlaps(network.cidr):
            key = ("reserved_cidrs", index)
            yield Conflict(key=key, message=f"{reserved} overlaps network.cidr {network.cidr}")


@rule_of(NetworkConfig)
def _zones_once(network: NetworkConfig) -> Iterator[Conflict]:
    zones = network.zones or ()
    for index, zone in enumerate(zones):
        if zone in zones[:index]:
            message = f"{zone} stands here a second time: the loss of one zone would take two of the three"
            yield Conflict(key=("zones", index), message=message)


@rule_of(NetworkConfig)
def _role_once(network: NetworkConfig) -> Iterator[Conflict]:
    for field in ("dedicated_subnets", "endpoint_services"):
        listed = getattr(network, field) or ()
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=(field, index), message=f"{one} stands here a second time")


@rule_of(NetworkConfig)
def _services_without_endpoints(network: NetworkConfig) -> Iterator[Conflict]:
    if network.endpoint_services and not network.interface_endpoints:
        message = "names services, and interface_endpoints is false, so none gets an endpoint: leave one of the two out"
        yield Conflict(key=("endpoint_services",), message=message)
