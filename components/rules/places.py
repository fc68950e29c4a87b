"""Where datasets lie: the buckets and file systems that a stack file has."""

from __future__ import annotations

from components.settings.datasets import BUCKETS, DatasetConfig
from components.settings.stack import StackConfig


def places(kind: str, config: StackConfig) -> tuple[str, ...]:
    """Where a dataset of ``kind`` can lie."""
    return BUCKETS if kind == "s3" else tuple(config.lustre if kind == "fsx" else config.efs)


def place_of(dataset: DatasetConfig, config: StackConfig) -> str | None:
    """Where the dataset lies; ``None`` where that cannot be told."""
    known = places(dataset.kind, config)
    if dataset.place is not None:
        return dataset.place if dataset.place in known else None
    return known[0] if dataset.kind == "s3" or len(known) == 1 else None
