"""What a stack file says of its datasets, for those who read it: tags of the place, and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .rules.places import place_of
from .settings import PROJECT, DatasetConfig, StackConfig

Place = tuple[str, str]
"""A kind of :class:`DatasetConfig`, and the name of the bucket or file system."""


def datasets_in(kind: str, place: str, config: StackConfig) -> dict[str, DatasetConfig]:
    """The datasets that lie in one bucket or file system, by name."""
    found = config.storage.datasets.items()
    return {name: one for name, one in found if (one.kind, place_of(one, config)) == (kind, place)}


def least_rpo_minutes(kind: str, config: StackConfig) -> dict[str, int]:
    """For each bucket or file system of a kind, the least that a dataset in it may lose, if any says what it may."""
    found: dict[str, int] = {}
    for one in config.storage.datasets.values():
        place = place_of(one, config)
        if one.kind == kind and place is not None and one.rpo_minutes is not None:
            found[place] = min(one.rpo_minutes, found.get(place, one.rpo_minutes))
    return found


def dataset_tags(datasets: Mapping[str, DatasetConfig]) -> dict[str, str]:
    """One tag a dataset, on what it lies in: there may be several, and each has an owner and targets of its own."""
    return {f"{PROJECT}:dataset/{name}": _text(dataset) for name, dataset in datasets.items()}


def dataset_outputs(config: StackConfig, ids: Mapping[Place, pulumi.Input[str]]) -> list[dict[str, Any]]:
    """The fields of :class:`components.outputs.DatasetOutputs`; ``ids``: of the buckets and file systems."""
    found: list[dict[str, Any]] = []
    for name, dataset in config.storage.datasets.items():
        place = place_of(dataset, config) or ""
        found.append(
            {"name": name, **dataset.model_dump(by_alias=True), "place": place, "id": ids[(dataset.kind, place)]}
        )
    return found


def _text(dataset: DatasetConfig) -> str:
    """In characters that every service takes in a tag's value: no commas, no braces."""
    targets = {"rpo_minutes": dataset.rpo_minutes, "rto_minutes": dataset.rto_minutes}
    parts = {"class": dataset.class_, "owner": dataset.owner, **targets}
    return " ".join(f"{key}={value}" for key, value in parts.items() if value is not None)
