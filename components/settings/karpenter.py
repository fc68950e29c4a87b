"""Pools whose nodes Karpenter makes and takes away, as pods need them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from components.accelerators import CATALOGUE, EC2_TYPES, InstanceType

from .pools import AmiRelease, InstanceTypeName, Taint
from .schedules import KubernetesSchedule
from .section import Section
from .values import LabelKey, LabelValue, Name, enumeration, one_of


def is_for_gangs(row: InstanceType) -> bool:
    """Whether a type is made for training over many machines: it joins its chips by a link of their own.

    Such machines are bought in blocks or reservations, and are of use all at once and near each other.
    """
    return row.domain_chips > 1


def of_the_same_maker(type_: str, others: tuple[str, ...]) -> tuple[str, ...]:
    """What could be taken in a type's place: those of the others that have no chips either, or of the same vendor."""
    return tuple(other for other in others if CATALOGUE[other].vendor is CATALOGUE[type_].vendor)


INFERENCE_TYPES = tuple(name for name in EC2_TYPES if not is_for_gangs(CATALOGUE[name]))
INFERENCE_FAMILIES = tuple(dict.fromkeys(CATALOGUE[name].family for name in INFERENCE_TYPES))
FAMILIES = tuple(dict.fromkeys(CATALOGUE[name].family for name in EC2_TYPES))
FamilyName = Annotated[str, one_of("instance family", FAMILIES), enumeration(FAMILIES)]


class KarpenterLimits(Section):
    """Where a pool stops growing, whatever pods ask for: nobody else bounds what it costs."""

    cpus: int = Field(ge=1, le=1_000_000, description="Most virtual CPUs of all its nodes together.")
    memory_gib: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Most memory of them all, GiB; absent: not limited."
    )
    chips: int | None = Field(
        default=None, ge=1, le=100_000, description="Most accelerator chips of them all; absent: not limited."
    )


class DisruptionBudgetConfig(Section):
    """How many nodes may be going at once. Of several budgets the tightest counts."""

    nodes: Annotated[str, StringConstraints(pattern=r"^((100|[0-9]{1,2})%|[0-9]{1,4})$")] = Field(
        description='A number or a part of the pool, as text: "2", "10%"; "0": none.'
    )
    reasons: tuple[Literal["underutilized", "empty", "drifted"], ...] = Field(
        default=(), strict=False, description="What it is for; empty: all that Karpenter does of its own accord."
    )
    schedule: KubernetesSchedule | None = Field(
        default=None, description="When it begins, in UTC, with duration_minutes; absent: it always counts."
    )
    duration_minutes: int | None = Field(default=None, ge=1, le=44_640, description="For how long it then counts.")


class DisruptionConfig(Section):
    """When Karpenter takes nodes away that somebody pays for in vain."""

    consolidation: Literal["when_empty", "when_empty_or_underutilized"] = Field(
        default="when_empty_or_underutilized",
        description="Whether it also moves pods, so that fewer or cheaper nodes are enough. when_empty for services "
        "that take minutes to load a model.",
    )
    consolidate_after_s: int = Field(
        default=300, ge=0, le=86_400, description="For so long no pod came to a node or left it, s."
    )
    budgets: tuple[DisruptionBudgetConfig, ...] = Field(
        default=(), strict=False, max_length=50, description="How many nodes may be going at once; empty: 10 %."
    )


class KarpenterPoolConfig(Section):
    """A pool for CPU work or for inference. Its nodes are in the private subnets of all three zones."""

    instance_types: tuple[InstanceTypeName, ...] = Field(
        default=(), strict=False, description="Types of the catalogue that Karpenter chooses from."
    )
    families: tuple[FamilyName, ...] = Field(
        default=(),
        strict=False,
        description="All that the catalogue has of these families, beside them; of p5 and trn2 those with one chip.",
    )
    max_cpus: int | None = Field(
        default=None, ge=2, le=1024, description="Of families: virtual CPUs of the largest node; absent: all sizes."
    )
    capacities: tuple[Literal["spot", "on_demand"], ...] = Field(
        default=("on_demand",),
        strict=False,
        min_length=1,
        description="How nodes may be bought; of both, Karpenter takes spot where there is any.",
    )
    limits: KarpenterLimits = Field(description="Where the pool stops growing.")
    disruption: DisruptionConfig = Field(
        default=DisruptionConfig(), description="When nodes go of which nobody has use."
    )
    expire_hours: int | None = Field(
        default=720,
        ge=1,
        le=87_600,
        description="Age at which a node is replaced, whatever runs on it or budgets say, hours; null: never.",
    )
    drain_minutes: int | None = Field(
        default=None,
        ge=1,
        le=44_640,
        description="Minutes after which the pods of a node that goes are ended in spite of their disruption budgets; "
        "absent: a pod that may not be disturbed keeps its node.",
    )
    weight: int | None = Field(
        default=None, ge=1, le=100, description="Of several pools that fit a pod, the heaviest is tried first."
    )
    disk_size_gb: int = Field(default=200, ge=20, le=16384, description="Root volume, GB.")
    ami_release: AmiRelease | None = Field(
        default=None, description="EKS AMI release; absent: the one pinned for the Kubernetes version."
    )
    max_pods: int | None = Field(
        default=None, ge=4, le=250, description="Most pods on a node; absent: as many as get an address of the VPC's."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Labels on every node.")
    taints: tuple[Taint, ...] = Field(default=(), strict=False, description="Taints beside the accelerator's own.")
    verified: bool = Field(
        default=False,
        description="New nodes keep the taint `ai-datacenter/unverified` until the checks have passed on them; "
        "Karpenter knows it for a startup taint. Not with accelerators, whose chips Karpenter would count as taken.",
    )

    @property
    def types(self) -> tuple[InstanceType, ...]:
        """The catalogue's rows that nodes may be of; none that is for gangs."""
        return tuple(row for row in map(CATALOGUE.__getitem__, INFERENCE_TYPES) if self._may_be(row))

    def _may_be(self, row: InstanceType) -> bool:
        small = self.max_cpus is None or row.vcpus <= self.max_cpus
        return row.name in self.instance_types or (row.family in self.families and small)

    @property
    def device_resource(self) -> str | None:
        """The extended resource of its nodes' chips; they all have the same, or none."""
        return self.types[0].device_resource


class KarpenterConfig(Section):
    """Karpenter, for CPU and inference pools. What it needs in AWS is always declared."""

    installed: Literal["1.14"] | None = Field(
        default=None,
        description="The release of Karpenter in the cluster, which is not installed from here; absent: none yet, and "
        "nothing of its kinds is declared.",
    )
    pools: dict[Name, KarpenterPoolConfig] = Field(min_length=1, description="Pools by name.")
