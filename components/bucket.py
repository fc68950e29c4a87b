"""One bucket: versioned, encrypted, private, and reached over TLS only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import BUCKET_LIMIT, fit
from .settings import ObjectLockConfig


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """Arguments of :func:`create_bucket`.

    Attributes:
        name: prefix of the resources' names.
        stack_name: that of all names.
        kind: what it is called in a stack file.
        rules: its lifecycle.
        lock: how its versions are locked; absent: they are not.
        retain: whether it stops a destroy while it has content.
        tags: beside everybody's.
    """

    name: str
    stack_name: str
    kind: str
    region: str
    account_id: pulumi.Input[str]
    rules: Sequence[Mapping[str, Any]]
    lock: ObjectLockConfig | None
    key_arn: pulumi.Input[str]
    retain: bool
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class MadeBucket:
    """A bucket, as :class:`~components.storage.Storage` gives it.

    Attributes:
        bucket: the bucket itself.
        versioned: what it has once it can be replicated: versions, and their lock.
    """

    bucket: aws.s3.Bucket
    versioned: tuple[pulumi.Resource, ...]


def create_bucket(args: BucketArgs, opts: pulumi.ResourceOptions) -> MadeBucket:
    """The bucket and everything that hangs on it."""
    # Bucket names are the whole partition's: the account and the region keep two stacks of one name apart.
    bucket = aws.s3.Bucket(
        args.name,
        bucket=pulumi.Output.from_input(args.account_id).apply(
            lambda account: fit(args.stack_name, args.kind, account, args.region, limit=BUCKET_LIMIT)
        ),
        force_destroy=not args.retain,
        tags=dict(args.tags) or None,
        opts=opts,
    )
    versioning = aws.s3.BucketVersioning(
        f"{args.name}-versioning",
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=opts,
    )
    after_versioning = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning]))
    aws.s3.BucketLifecycleConfiguration(
        f"{args.name}-lifecycle",
        bucket=bucket.bucket,
        rules=list(args.rules),  # pyright: ignore[reportArgumentType]  # plain values, built and tested as such
        opts=after_versioning,
    )
    lock = _create_lock(args, bucket, after_versioning)
    _create_encryption(args, bucket, opts)
    _create_privacy(args, bucket, opts)
    return MadeBucket(bucket, (versioning, *lock))


def _create_lock(args: BucketArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """S3 locks versions, so only a bucket that has them."""
    if args.lock is None:
        return []
    lock = aws.s3.BucketObjectLockConfiguration(
        f"{args.name}-lock",
        bucket=bucket.bucket,
        object_lock_enabled="Enabled",
        rule={"default_retention": {"mode": args.lock.mode.upper(), "days": args.lock.days}},
        opts=opts,
    )
    return [lock]


def _create_encryption(args: BucketArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    default = {"sse_algorithm": "aws:kms", "kms_master_key_id": args.key_arn}
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{args.name}-encryption",
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": default, "bucket_key_enabled": True}],  # pyright: ignore
        opts=opts,
    )


def _create_privacy(args: BucketArgs, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    block = aws.s3.BucketPublicAccessBlock(
        f"{args.name}-private",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    aws.s3.BucketOwnershipControls(
        f"{args.name}-ownership",
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=opts,
    )
    aws.s3.BucketPolicy(
        f"{args.name}-policy",
        bucket=bucket.bucket,
        policy=bucket.arn.apply(lambda arn: json.dumps(tls_only(arn))),
        # S3 refuses two changes of a bucket's access at once.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[block])),
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
