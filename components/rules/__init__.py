"""What must hold between the values of a stack file: one file a section, as in :mod:`components.settings`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from components.settings.section import Conflict, WrongByItself
from components.settings.stack import StackConfig

from . import (
    alerts,
    backup,
    cluster,
    data_pipeline,
    datasets,
    ebs,
    efs,
    failover,
    karpenter,
    load_balancer,
    lustre,
    monitoring,
    network,
    pool_sections,
    pools,
    recovery,
    replication,
    scheduling,
    security,
    smoke_test,
    storage,
    tpu,
)


def _tags_of_aws(config: StackConfig) -> Iterator[Conflict]:
    for name in config.tags:
        if name.lower().startswith("aws:"):
            yield Conflict(key=("tags", name), message="tags that begin with aws: are AWS's own")


_RULES = (
    *network.RULES, *cluster.RULES, *load_balancer.RULES, *failover.RULES, *recovery.RULES, *replication.RULES,
    *smoke_test.RULES, *storage.RULES, *monitoring.RULES, *scheduling.RULES, *tpu.RULES, *backup.RULES,
    *data_pipeline.RULES, *security.RULES, *alerts.RULES, *karpenter.RULES, _tags_of_aws,
)  # fmt: skip
# Sections that are there many times, by name: each of their rules is asked about each.
_NAMED: tuple[tuple[Callable[[StackConfig], dict[str, Any]], tuple[Callable[..., Iterator[Conflict]], ...]], ...] = (
    (lambda config: config.pools, (*pools.RULES, *pool_sections.RULES)),
    (lambda config: config.karpenter.pools if config.karpenter else {}, karpenter.POOL_RULES),
    (lambda config: config.lustre, lustre.RULES),
    (lambda config: config.efs, efs.RULES),
    (lambda config: config.ebs, ebs.RULES),
    (lambda config: config.storage.datasets, datasets.RULES),
    (lambda config: config.tpu.pools if config.tpu else {}, tpu.POOL_RULES),
    (lambda config: config.backup.plans if config.backup else {}, backup.PLAN_RULES),
    (lambda config: config.data_pipeline.migrations if config.data_pipeline else {}, data_pipeline.OF_MIGRATIONS),
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
