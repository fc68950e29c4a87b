"""Datasets: what is kept, where and whose it is, and what each mechanism promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of
from .values import Name

# What each mechanism promises at best, in minutes.
S3_REPLICATION_MINUTES = 15  # S3 guide, "Replication Time Control": 99.99 % of objects within 15 minutes

EFS_REPLICATION_MINUTES = 15  # EFS guide, "Replicating EFS file systems": a recovery point of 15 minutes for most

BACKUP_MINUTES = 60  # AWS Backup guide, "Backup plan options": the most frequent schedule is every hour

BUCKETS = ("data", "checkpoints")

Owner = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,62}$")]


class DatasetConfig(Section):
    """A dataset, and what its owner expects when it is lost."""

    kind: Literal["s3", "fsx", "efs"] = Field(description="What it lies in: a bucket, FSx for Lustre or EFS.")
    place: Name | None = Field(
        default=None,
        description="The bucket (data or checkpoints) or the file system's name; absent: the data bucket, or the only "
        "file system of the kind.",
    )
    class_: Literal["critical", "important", "reproducible", "scratch"] = Field(
        alias="class",
        description="What its loss means: critical cannot be had again; important costs a lot to make again; "
        "reproducible is made again from what is kept; scratch is missed by nobody.",
    )
    owner: Owner = Field(description="The team that answers for it.")
    rpo_minutes: int | None = Field(
        default=None, ge=0, le=525_600, description="Recovery point: minutes of work that may be lost."
    )
    rto_minutes: int | None = Field(
        default=None, ge=1, le=525_600, description="Recovery time: minutes until it can be used again."
    )


@rule_of(DatasetConfig)
def _targets(dataset: DatasetConfig) -> Iterator[Conflict]:
    if dataset.class_ in ("critical", "important") and None in (dataset.rpo_minutes, dataset.rto_minutes):
        message = f"a dataset that is {dataset.class_} needs rpo_minutes and rto_minutes: nobody can plan for less"
        yield Conflict(key=("class",), message=message)
