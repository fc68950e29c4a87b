"""What must hold between the sections of a stack file: one file for each that is told of it.

What must hold within a section is asked by the section itself (:func:`components.settings.section.rule_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

from components.settings.section import Conflict, Section, WrongByItself
from components.settings.stack import StackConfig

from . import (
    backup,
    cluster,
    data_pipeline,
    datasets,
    ebs,
    failover,
    karpenter,
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
    *network.RULES, *cluster.RULES, *failover.RULES, *recovery.RULES, *replication.RULES,
    *smoke_test.RULES, *storage.RULES, *monitoring.RULES, *scheduling.RULES, *backup.RULES,
    *data_pipeline.RULES, *security.RULES, *karpenter.RULES, _tags_of_aws,
)  # fmt: skip
# Sections that are there many times, by name: each of their rules is asked about each.
_NAMED: tuple[tuple[Callable[[StackConfig], dict[str, Any]], tuple[Callable[..., Iterator[Conflict]], ...]], ...] = (
    (lambda config: config.pools, (*pools.RULES, *pool_sections.RULES)),
    (lambda config: config.karpenter.pools if config.karpenter else {}, karpenter.POOL_RULES),
    (lambda config: config.lustre, lustre.RULES),
    (lambda config: config.ebs, ebs.RULES),
    (lambda config: config.storage.datasets, datasets.RULES),
    (lambda config: config.tpu.pools if config.tpu else {}, tpu.POOL_RULES),
    (lambda config: config.backup.plans if config.backup else {}, backup.PLAN_RULES),
    (lambda config: config.data_pipeline.migrations if config.data_pipeline else {}, data_pipeline.OF_MIGRATIONS),
)


def conflicts(config: StackConfig) -> Iterator[Conflict]:
    """What is wrong between values. What is wrong by itself may be missing in ``config``: its rules are silent."""
    rules: list[Callable[[], Iterator[Conflict]]] = [
        partial(_at, key, rule, section) for key, section in _sections((), config) for rule in section.own_rules
    ]
    rules += [partial(rule, config) for rule in _RULES]
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


def _sections(key: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], Section]]:
    """Every section that there is in a value, and where."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Section):
        yield key, value
        fields = type(value).model_fields
        pairs = ((fields[name].alias or name, inner) for name, inner in value.__dict__.items())
    elif isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
    elif isinstance(value, tuple):
        pairs = enumerate(cast("tuple[Any, ...]", value))
    for name, inner in pairs:
        yield from _sections((*key, name), inner)


def _at(key: tuple[str | int, ...], rule: Callable[[Any], Iterator[Conflict]], section: Section) -> Iterator[Conflict]:
    for conflict in rule(section):
        yield replace(conflict, key=(*key, *conflict.key))
