"""The data and the checkpoint bucket: versioned, encrypted, private, and reached over TLS only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import BUCKET_LIMIT, component_type, fit
from .settings import StorageConfig


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """``retain``: whether buckets with content stop a destroy; ``tags``: by bucket, beside everybody's."""

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: StorageConfig
    key_arn: pulumi.Input[str]
    retain: bool
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


class Storage(pulumi.ComponentResource):
    """Two buckets alike but for how long things stay in them."""

    data_bucket_name: pulumi.Output[str]
    data_bucket_arn: pulumi.Output[str]
    checkpoint_bucket_name: pulumi.Output[str]
    checkpoint_bucket_arn: pulumi.Output[str]
    bucket_names: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Storage), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        data = self._create_bucket("data", data_rules(args.config))
        checkpoints = self._create_bucket("checkpoints", checkpoint_rules(args.config))
        self.data_bucket_name, self.data_bucket_arn = data.bucket, data.arn
        self.checkpoint_bucket_name, self.checkpoint_bucket_arn = checkpoints.bucket, checkpoints.arn
        self.bucket_names = {"data": self.data_bucket_name, "checkpoints": self.checkpoint_bucket_name}
        self.register_outputs(
            {"data_bucket_name": self.data_bucket_name, "checkpoint_bucket_name": self.checkpoint_bucket_name}
        )

    def _create_bucket(self, kind: str, rules: list[dict[str, Any]]) -> aws.s3.Bucket:
        args = self._args
        # Bucket names are the whole partition's: the account and the region keep two stacks of one name apart.
        bucket = aws.s3.Bucket(
            f"{self._name}-{kind}",
            bucket=pulumi.Output.from_input(args.account_id).apply(
                lambda account: fit(args.name, kind, account, args.region, limit=BUCKET_LIMIT)
            ),
            force_destroy=not args.retain,
            tags=dict(args.tags.get(kind, {})) or None,
            opts=self._child,
        )
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-{kind}-versioning",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-{kind}-lifecycle",
            bucket=bucket.bucket,
            rules=rules,  # pyright: ignore[reportArgumentType]  # plain values, built and tested as such
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        self._create_lock(kind, bucket, versioning)
        self._create_encryption(kind, bucket)
        self._create_privacy(kind, bucket)
        return bucket

    def _create_lock(self, kind: str, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning) -> None:
        """S3 locks versions, so only a bucket that has them."""
        lock = self._args.config.object_lock
        if lock is None or kind not in lock.buckets:
            return
        aws.s3.BucketObjectLockConfiguration(
            f"{self._name}-{kind}-lock",
            bucket=bucket.bucket,
            object_lock_enabled="Enabled",
            rule={"default_retention": {"mode": lock.mode.upper(), "days": lock.days}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _create_encryption(self, kind: str, bucket: aws.s3.Bucket) -> None:
        default = {"sse_algorithm": "aws:kms", "kms_master_key_id": self._args.key_arn}
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-{kind}-encryption",
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": default, "bucket_key_enabled": True}],  # pyright: ignore
            opts=self._child,
        )

    def _create_privacy(self, kind: str, bucket: aws.s3.Bucket) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            f"{self._name}-{kind}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-{kind}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child,
        )
        aws.s3.BucketPolicy(
            f"{self._name}-{kind}-policy",
            bucket=bucket.bucket,
            policy=bucket.arn.apply(lambda arn: json.dumps(tls_only(arn))),
            # S3 refuses two changes of a bucket's access at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )


def tls_only(bucket_arn: str) -> dict[str, Any]:
    """A bucket policy that denies every request not over TLS."""
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


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
