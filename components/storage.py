"""The data and the checkpoint bucket, and how long things stay in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .bucket import BucketArgs, MadeBucket, create_bucket
from .naming import component_type
from .settings import StorageConfig


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """Arguments of :class:`Storage`.

    Attributes:
        retain: whether buckets with content stop a destroy.
        tags: by bucket, beside everybody's.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: StorageConfig
    key_arn: pulumi.Input[str]
    retain: bool
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


class Storage(pulumi.ComponentResource):
    """Two buckets alike but for how long things stay in them.

    Attributes:
        data_bucket_name: the bucket of what is trained on, and of verdicts: nothing in it expires.
        data_bucket_arn: its ARN.
        checkpoint_bucket_name: the bucket of checkpoints, which may expire.
        checkpoint_bucket_arn: its ARN.
        bucket_names: both by their names in a stack file: ``data`` and ``checkpoints``.
        buckets: both as they were made, by the same names.
    """

    data_bucket_name: pulumi.Output[str]
    data_bucket_arn: pulumi.Output[str]
    checkpoint_bucket_name: pulumi.Output[str]
    checkpoint_bucket_arn: pulumi.Output[str]
    bucket_names: dict[str, pulumi.Output[str]]
    buckets: dict[str, MadeBucket]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Storage), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.buckets = {kind: create_bucket(bucket_args(name, kind, args), child) for kind in ("data", "checkpoints")}
        data, checkpoints = self.buckets["data"].bucket, self.buckets["checkpoints"].bucket
        self.data_bucket_name, self.data_bucket_arn = data.bucket, data.arn
        self.checkpoint_bucket_name, self.checkpoint_bucket_arn = checkpoints.bucket, checkpoints.arn
        self.bucket_names = {"data": self.data_bucket_name, "checkpoints": self.checkpoint_bucket_name}
        self.register_outputs(
            {"data_bucket_name": self.data_bucket_name, "checkpoint_bucket_name": self.checkpoint_bucket_name}
        )


def bucket_args(name: str, kind: str, args: StorageArgs) -> BucketArgs:
    """One bucket of a storage section; ``name``: prefix of the resources' names."""
    lock = args.config.object_lock
    return BucketArgs(
        name=f"{name}-{kind}",
        stack_name=args.name,
        kind=kind,
        region=args.region,
        account_id=args.account_id,
        rules=data_rules(args.config) if kind == "data" else checkpoint_rules(args.config),
        lock=lock if lock and kind in lock.buckets else None,
        key_arn=args.key_arn,
        retain=args.retain,
        tags=args.tags.get(kind, {}),
    )


def _common_rules(config: StorageConfig) -> list[dict[str, Any]]:
    return [
        {
            "id": "overwritten-and-deleted",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": config.noncurrent_days},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    ]


def data_rules(config: StorageConfig) -> list[dict[str, Any]]:
    """Lifecycle of the data bucket."""
    rules = _common_rules(config)
    if config.data_infrequent_days is not None:
        move = {"days": config.data_infrequent_days, "storage_class": "STANDARD_IA"}
        rules.append({"id": "infrequent-access", "status": "Enabled", "filter": {"prefix": ""}, "transitions": [move]})
    if config.data_intelligent_tiering:
        move = {"days": 0, "storage_class": "INTELLIGENT_TIERING"}
        tiering = {"id": "intelligent-tiering", "status": "Enabled", "filter": {"prefix": ""}, "transitions": [move]}
        rules.append(tiering)
    return rules


def checkpoint_rules(config: StorageConfig) -> list[dict[str, Any]]:
    """Lifecycle of the checkpoint bucket."""
    rules = _common_rules(config)
    if config.checkpoint_days is not None:
        expiration = {"days": config.checkpoint_days}
        rules.append({"id": "expire", "status": "Enabled", "filter": {"prefix": ""}, "expiration": expiration})
    return rules
