"""The whole of a stack file, and the rules between its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydantic import Field

from . import (
    cluster,
    datasets,
    ebs,
    efs,
    load_balancer,
    lustre,
    monitoring,
    network,
    pool_rules,
    recovery,
    smoke_test,
    storage,
)
from .aws import AwsConfig
from .cluster import ClusterConfig
from .ebs import EbsClassConfig
from .efs import EfsConfig
from .load_balancer import LoadBalancerConfig
from .lustre import LustreConfig
from .monitoring import MonitoringConfig
from .network import NetworkConfig
from .pools import PoolConfig
from .recovery import RecoveryConfig
from .registry import RegistryConfig
from .section import Conflict, Section, WrongByItself
from .smoke_test import SmokeTestConfig
from .storage import StorageConfig
from .values import Name, TagKey, TagValue

PROJECT = "ai-datacenter"


class StackConfig(Section):
    """Everything a stack file says about the data centre."""

    aws: AwsConfig
    name: Name = Field(description="Prefix of all names, at most 20 characters.")
    network: NetworkConfig
    cluster: ClusterConfig = ClusterConfig()
    pools: dict[Name, PoolConfig] = Field(min_length=1, description="Node pools by name.")
    storage: StorageConfig = StorageConfig()
    lustre: dict[Name, LustreConfig] = Field(default_factory=dict, description="FSx for Lustre file systems by name.")
    efs: dict[Name, EfsConfig] = Field(default_factory=dict, description="EFS file systems by name.")
    ebs: dict[Name, EbsClassConfig] = Field(default_factory=dict, description="Classes of disks for pods, by name.")
    registry: RegistryConfig = RegistryConfig()
    smoke_test: SmokeTestConfig
    monitoring: MonitoringConfig | None = Field(default=None, description="Absent: nothing watches the nodes.")
    load_balancer: LoadBalancerConfig | None = Field(
        default=None, description="A load balancer for inference services; absent: none."
    )
    recovery: RecoveryConfig | None = Field(default=None, description="The region that is to take over; absent: none.")
    retain_data: bool = Field(
        default=True,
        description="Destroying a stack stops at buckets and registries with content, and nothing deletes or replaces "
        "file systems that keep data: they can go after an up with false.",
    )
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=40, description="Tags on everything.")


def _tags_of_aws(config: StackConfig) -> Iterator[Conflict]:
    for name in config.tags:
        if name.lower().startswith("aws:"):
            yield Conflict(key=("tags", name), message="tags that begin with aws: are AWS's own")


_RULES = (
    *network.RULES, *cluster.RULES, *load_balancer.RULES, *recovery.RULES, *smoke_test.RULES, *storage.RULES,
    *monitoring.RULES, _tags_of_aws,
)  # fmt: skip
# Sections that are there many times, by name: each of their rules is asked about each.
_NAMED: tuple[tuple[Callable[[StackConfig], dict[str, Any]], tuple[Callable[..., Iterator[Conflict]], ...]], ...] = (
    (lambda config: config.pools, pool_rules.RULES),
    (lambda config: config.lustre, lustre.RULES),
    (lambda config: config.efs, efs.RULES),
    (lambda config: config.ebs, ebs.RULES),
    (lambda config: config.storage.datasets, datasets.RULES),
)


def conflicts(config: StackConfig) -> Iterator[Conflict]:
    """What is wrong between values. What is wrong by itself may be missing in ``config``: its rules are silent."""
    rules: list[Callable[[], Iterator[Conflict]]] = [partial(rule, config) for rule in _RULES]
    for items, of_one in _NAMED:
        try:
            rules += [partial(rule, name, one, config) for name, one in items(config).items() for rule in of_one]
        except WrongByItself:
            continue
    for rule in rules:
        try:
            yield from rule()
        except WrongByItself:
            continue
