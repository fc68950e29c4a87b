"""What a stack file may say: the one place where fields, defaults and limits are written. Knows no Pulumi.

:func:`components.config.load` reads a stack file into :class:`StackConfig`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .accelerators import CATALOGUE, InstanceType

PROJECT = "ai-datacenter"
ZONES = 3

# Regions with EKS in the commercial partition: botocore 1.44 ``get_available_regions("eks")``.
REGIONS = tuple(
    """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
    ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1
    eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1
    me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
    """.split()  # noqa: SIM905 - a list of strings is unreadable here
)
# What CloudWatch Logs takes as a retention: API reference, PutRetentionPolicy.
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288)
# Kubernetes versions this project pins add-ons and AMI releases for (see ``releases.py``).
KUBERNETES_VERSIONS = ("1.34",)


def not_allowed(what: str, value: object, allowed: tuple[object, ...]) -> PydanticCustomError:
    """The error of a value outside a list, which carries the list."""
    return PydanticCustomError(
        "not_allowed", "{what} {value} is not known", {"what": what, "value": repr(value), "allowed": allowed}
    )


def _one_of(what: str, allowed: tuple[object, ...]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, bool) or value not in allowed:
            raise not_allowed(what, value, allowed)
        return value

    return check


def _network(value: object) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("cidr", "a range of addresses is text such as 10.0.0.0/16")
    try:
        return IPv4Network(value)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise PydanticCustomError(
            "cidr", "{value} is no range of addresses: {reason}", {"value": value, "reason": str(error)}
        ) from None


Cidr = Annotated[IPv4Network, BeforeValidator(_network)]
Region = Annotated[str, BeforeValidator(_one_of("region", REGIONS))]
InstanceTypeName = Annotated[str, BeforeValidator(_one_of("instance type", tuple(CATALOGUE)))]
RetentionDays = Annotated[int, BeforeValidator(_one_of("retention", RETENTION_DAYS))]
KubernetesVersion = Annotated[str, BeforeValidator(_one_of("Kubernetes version", KUBERNETES_VERSIONS))]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$")]
LabelKey = Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]


class Section(BaseModel):
    """A part of the configuration: frozen, strict about types, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AwsConfig(Section):
    """The ``aws:`` keys. The accounts are a list on purpose: a stack that names none could touch any."""

    region: Region = Field(description="The region everything is in.")
    allowed_account_ids: tuple[AccountId, ...] = Field(
        alias="allowedAccountIds",
        strict=False,
        min_length=1,
        description="Accounts this stack may touch; any other is refused.",
    )
    profile: str | None = Field(
        default=None, description="Named profile of the AWS credentials; absent: the environment's."
    )


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
    nat: Literal["one", "per_zone"] = Field(
        default="per_zone", description="NAT gateways: one is cheaper and a zone's loss cuts all off."
    )
    reserved_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        strict=False,
        description="Ranges that peers, offices or other regions use; the VPC may not overlap them.",
    )
    interface_endpoints: bool = Field(default=True, description="Private endpoints for ECR, STS, EC2, EKS and logs.")
    flow_log_retention_days: RetentionDays = Field(default=90, description="How long flow logs are kept.")


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


class Taint(Section):
    """A taint on every node of a pool, in Kubernetes' words."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class PoolConfig(Section):
    """A pool of equal nodes. Accelerator pools get their vendor's taint without being told."""

    instance_type: InstanceTypeName = Field(description="A type of the catalogue.")
    desired_size: int = Field(ge=0, le=5000, description="Nodes now.")
    min_size: int = Field(default=0, ge=0, le=5000, description="Fewest nodes.")
    max_size: int | None = Field(default=None, ge=1, le=5000, description="Most nodes; absent: as many as desired.")
    capacity: Literal["on_demand", "spot", "capacity_block"] = Field(
        default="on_demand", description="How the nodes are bought."
    )
    capacity_reservation_id: Annotated[str, StringConstraints(pattern=r"^cr-[0-9a-f]{8,17}$")] | None = Field(
        default=None, description="The reservation that the nodes are launched into."
    )
    zone: str | None = Field(default=None, description="The one zone of the nodes; absent: all three.")
    placement_group: bool = Field(
        default=False, description="A cluster placement group; may leave a part of a reservation unused (eksctl#7949)."
    )
    disk_size_gb: int = Field(default=200, ge=20, le=16384, description="Root volume, GB.")
    ami_release: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+\.[0-9]+-[0-9]{8}$")] | None = Field(
        default=None, description="EKS AMI release; absent: the one pinned for the Kubernetes version."
    )
    max_unavailable: int = Field(default=1, ge=1, le=100, description="Nodes that an update may take away at once.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels on every node.")
    taints: tuple[Taint, ...] = Field(default=(), strict=False, description="Taints beside the accelerator's own.")

    @property
    def instance(self) -> InstanceType:
        """The catalogue's row."""
        return CATALOGUE[self.instance_type]

    @property
    def most(self) -> int:
        """Most nodes."""
        return self.max_size if self.max_size is not None else max(1, self.desired_size)


class StorageConfig(Section):
    """The data and the checkpoint bucket."""

    noncurrent_days: int = Field(
        default=30, ge=1, description="Days an overwritten or deleted object can still be had."
    )
    checkpoint_days: int | None = Field(
        default=None, ge=1, description="Days until a checkpoint expires; absent: never."
    )
    data_infrequent_days: int | None = Field(
        default=None, ge=30, description="Days until data moves to infrequent access."
    )


class RegistryConfig(Section):
    """The registry of workload images."""

    image_digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="Digest of the pushed workload image; absent: the tag that is the digest of its sources.",
    )
    keep_images: int = Field(default=50, ge=1, le=10000, description="Images kept; older ones expire.")


class SmokeTestConfig(Section):
    """The training job that proves the data centre."""

    pool: str = Field(description="The pool it runs on, one process a node.")
    steps: int = Field(default=60, ge=2, le=100_000, description="Training steps.")
    seed: int = Field(default=0, ge=0, description="Seed of the model and the data order.")
    timeout_s: int = Field(default=1800, ge=60, le=86_400, description="Seconds until the job has failed.")


class StackConfig(Section):
    """Everything a stack file says about the data centre."""

    aws: AwsConfig
    name: Name = Field(description="Prefix of all names, at most 20 characters.")
    network: NetworkConfig
    cluster: ClusterConfig = ClusterConfig()
    pools: dict[Name, PoolConfig] = Field(min_length=1, description="Node pools by name.")
    storage: StorageConfig = StorageConfig()
    registry: RegistryConfig = RegistryConfig()
    smoke_test: SmokeTestConfig
    retain_data: bool = Field(
        default=True, description="Destroying a stack stops at buckets and registries with content."
    )
    tags: dict[str, str] = Field(default_factory=dict, description="Tags on everything.")


class Conflict(BaseModel):
    """Two sections that are right alone and wrong together; ``key`` is where it is told."""

    key: tuple[str | int, ...]
    message: str
    allowed: tuple[str, ...] = ()


def conflicts(sections: Mapping[str, Any]) -> Iterator[Conflict]:
    """What is wrong between the sections that are there (a section that is wrong by itself is left out)."""
    yield from _network_conflicts(sections.get("network"), sections.get("cluster"))
    pools: Mapping[str, PoolConfig] = sections.get("pools") or {}
    aws: AwsConfig | None = sections.get("aws")
    network: NetworkConfig | None = sections.get("network")
    for name, pool in pools.items():
        yield from _pool_conflicts(("pools", name), pool, network)
    for index, zone in enumerate((network.zones if network else None) or ()):
        if aws and not re.fullmatch(re.escape(aws.region) + "[a-z]", zone):
            yield Conflict(key=("network", "zones", index), message=f"{zone} is no zone of {aws.region}")
    yield from _smoke_test_conflicts(sections.get("smoke_test"), pools, sections.get("pool_names", ()))


def _network_conflicts(network: NetworkConfig | None, cluster: ClusterConfig | None) -> Iterator[Conflict]:
    if network and not 16 <= network.cidr.prefixlen <= 20:
        yield Conflict(key=("network", "cidr"), message=f"{network.cidr} must be a /16 to a /20")
    if cluster and not 12 <= cluster.service_cidr.prefixlen <= 24:
        yield Conflict(key=("cluster", "service_cidr"), message=f"{cluster.service_cidr} must be a /12 to a /24")
    for index, open_range in enumerate(cluster.public_access_cidrs if cluster else ()):
        if open_range.prefixlen == 0:
            key = ("cluster", "public_access_cidrs", index)
            yield Conflict(
                key=key, message=f"{open_range} opens the API endpoint to everyone: name the ranges that need it"
            )
    if not network:
        return
    for index, reserved in enumerate(network.reserved_cidrs):
        if reserved.overlaps(network.cidr):
            key = ("network", "reserved_cidrs", index)
            yield Conflict(key=key, message=f"{reserved} overlaps network.cidr {network.cidr}")
    service = cluster.service_cidr if cluster else None
    for label, other in (
        ("network.cidr", network.cidr),
        *(("network.reserved_cidrs", r) for r in network.reserved_cidrs),
    ):
        if service and service.overlaps(other):
            key = ("network", "cidr") if label == "network.cidr" else ("cluster", "service_cidr")
            yield Conflict(key=key, message=f"cluster.service_cidr {service} and {label} {other} overlap")


def _pool_conflicts(key: tuple[str, ...], pool: PoolConfig, network: NetworkConfig | None) -> Iterator[Conflict]:
    if not pool.min_size <= pool.desired_size <= pool.most:
        bounds = f"between min_size {pool.min_size} and max_size {pool.most}"
        yield Conflict(key=(*key, "desired_size"), message=f"{pool.desired_size} is not {bounds}")
    if pool.capacity == "capacity_block" and not pool.capacity_reservation_id:
        yield Conflict(key=(*key, "capacity"), message="capacity_block needs a capacity_reservation_id beside it")
    if pool.capacity == "spot" and pool.capacity_reservation_id:
        yield Conflict(key=(*key, "capacity_reservation_id"), message="spot nodes cannot use a reservation")
    if pool.placement_group and not pool.zone:
        yield Conflict(
            key=(*key, "placement_group"), message="a cluster placement group is in one zone: name it as zone"
        )
    if pool.zone and network:
        zones = network.zones or ()
        if pool.zone not in zones:
            said = ", ".join(zones) or "nothing"
            yield Conflict(
                key=(*key, "zone"), message=f"{pool.zone} is not among network.zones, which says {said}", allowed=zones
            )


def _smoke_test_conflicts(
    test: SmokeTestConfig | None, pools: Mapping[str, PoolConfig], names: tuple[str, ...]
) -> Iterator[Conflict]:
    if test is None:
        return
    known = tuple(names or pools)
    if test.pool not in known:
        yield Conflict(key=("smoke_test", "pool"), message=f"there is no pool {test.pool}", allowed=known)
    elif test.pool in pools and pools[test.pool].desired_size == 0:
        yield Conflict(key=("smoke_test", "pool"), message=f"pool {test.pool} has no nodes (desired_size 0)")
