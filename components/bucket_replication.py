"""Replicas of buckets in the recovery region, and what copies every object there within 15 minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .bucket import MadeBucket, create_bucket
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .network import service_trust
from .settings import S3_REPLICATION_MINUTES
from .storage import StorageArgs, bucket_args

RULE_ID = "recovery"  # a dimension of the metrics of replication


@dataclass(frozen=True, kw_only=True)
class BucketReplicationArgs:
    """Arguments of :class:`BucketReplication`.

    Attributes:
        region: where the originals are.
        key_arn: the key that they are encrypted with.
        sources: the originals, by what a stack file calls them.
        replicas: what the replicas are like: the originals' arguments with the recovery region and its key.
        delete_markers: whether what is deleted here is hidden there too.
        provider: AWS in the recovery region.
    """

    region: str
    key_arn: pulumi.Input[str]
    sources: Mapping[str, MadeBucket]
    replicas: StorageArgs
    delete_markers: bool
    provider: aws.Provider


class BucketReplication(pulumi.ComponentResource):
    """A replica of each bucket, hardened as it is, and the rule that fills it.

    Attributes:
        bucket_names: the replicas, by the names of their originals.
    """

    bucket_names: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: BucketReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(BucketReplication), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        there = pulumi.ResourceOptions(parent=self, provider=args.provider)
        replicas = {kind: create_bucket(bucket_args(name, kind, args.replicas), there) for kind in args.sources}
        role, rights = self._create_role(replicas)
        for kind, replica in replicas.items():
            self._create_configuration(kind, replica, role, rights)
        self.bucket_names = {kind: replica.bucket.bucket for kind, replica in replicas.items()}
        self.register_outputs({"bucket_names": self.bucket_names})

    def _create_role(self, replicas: Mapping[str, MadeBucket]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-role",
            name=fit(args.replicas.name, args.region, "replication", limit=IAM_ROLE_LIMIT),
            assume_role_policy=json.dumps(service_trust("s3.amazonaws.com")),
            opts=self._child,
        )
        known = pulumi.Output.all(
            sources=[source.bucket.arn for source in args.sources.values()],
            replicas=[replica.bucket.arn for replica in replicas.values()],
            keys=[args.key_arn, args.replicas.key_arn],
        )
        regions, locked = (args.region, args.replicas.region), args.replicas.config.object_lock is not None
        rights = aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            policy=known.apply(lambda arns: json.dumps(replication_policy(**arns, regions=regions, locked=locked))),
            opts=self._child,
        )
        return role, rights

    def _create_configuration(
        self, kind: str, replica: MadeBucket, role: aws.iam.Role, rights: aws.iam.RolePolicy
    ) -> None:
        """Once both buckets have versions, and locks where the originals' versions are locked: S3 asks for that."""
        source = self._args.sources[kind]
        rule = replication_rule(replica.bucket.arn, self._args.replicas.key_arn, self._args.delete_markers)
        after = [*source.versioned, *replica.versioned, rights]
        aws.s3.BucketReplicationConfig(
            f"{self._name}-{kind}-rule",
            bucket=source.bucket.bucket,
            role=role.arn,
            rules=[rule],  # pyright: ignore[reportArgumentType]  # plain values, tested as such
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )


def replication_rule(
    replica_arn: pulumi.Input[str], key_arn: pulumi.Input[str], delete_markers: bool
) -> dict[str, Any]:
    """Everything, within the time that Replication Time Control promises, encrypted with the replica's key."""
    on, promised = "Enabled", {"minutes": S3_REPLICATION_MINUTES}
    return {
        "id": RULE_ID,
        "priority": 0,
        "status": on,
        "filter": {"prefix": ""},
        "delete_marker_replication": {"status": on if delete_markers else "Disabled"},
        # Without this S3 skips what is encrypted with KMS, which is everything here, and says nothing.
        "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": on}},
        "destination": {
            "bucket": replica_arn,
            "encryption_configuration": {"replica_kms_key_id": key_arn},
            "replication_time": {"status": on, "time": promised},
            "metrics": {"status": on, "event_threshold": promised},
        },
    }


def replication_policy(
    *, sources: Sequence[str], replicas: Sequence[str], keys: Sequence[str], regions: tuple[str, str], locked: bool
) -> dict[str, Any]:
    """Read versions of the originals, write replicas, and use each key through its region's S3 for its buckets only.

    S3 guide, "Setting up permissions for live replication" and "Replicating encrypted objects". With bucket keys, KMS
    is told the bucket; without them, the object.

    Args:
        sources, replicas: ARNs of the buckets.
        keys, regions: of the originals, and of the replicas.
        locked: whether any version is locked.
    """
    read = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    read += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"] if locked else []
    write = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
    statements = [
        _allow("Rules", ["s3:GetReplicationConfiguration", "s3:ListBucket"], sources),
        _allow("Read", read, _objects(sources)),
        _allow("Write", write, _objects(replicas)),
        _allow("Decrypt", ["kms:Decrypt"], [keys[0]], _through_s3(regions[0], sources)),
        _allow("Encrypt", ["kms:Encrypt", "kms:GenerateDataKey"], [keys[1]], _through_s3(regions[1], replicas)),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _objects(buckets: Sequence[str]) -> list[str]:
    return [f"{arn}/*" for arn in buckets]


def _through_s3(region: str, buckets: Sequence[str]) -> dict[str, Any]:
    context = {"kms:EncryptionContext:aws:s3:arn": [*buckets, *_objects(buckets)]}
    return {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}, "StringLike": context}


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})
