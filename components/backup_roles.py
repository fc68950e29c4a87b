"""What AWS Backup may do on its own: read what plans choose, and restore beside it.

AWS's own policies for this name no resources; these do what AWSBackupServiceRolePolicyForBackup, …ForS3Backup,
…ForRestores and …ForS3Restore do for S3, EFS and FSx, on what is declared. ``*`` stands only for what lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .datasets import Place
from .naming import partition

RESTORED_BUCKETS = "awsbackup-restore-test-*"  # AWS Backup guide, "Restore testing inferred metadata"
_BUCKET = (
    "GetBucketAcl", "GetBucketLocation", "GetBucketNotification", "GetBucketTagging", "GetBucketVersioning",
    "GetInventoryConfiguration", "ListBucket", "ListBucketVersions", "PutBucketNotification",
    "PutInventoryConfiguration",
)  # fmt: skip
_OBJECTS = ("GetObject", "GetObjectAcl", "GetObjectTagging")
_VERSIONS = ("GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionTagging")
_RESTORED_BUCKET = (
    "CreateBucket", "GetBucketLocation", "GetBucketOwnershipControls", "GetBucketVersioning", "ListBucket",
    "ListBucketVersions", "PutBucketOwnershipControls", "PutBucketVersioning",
)  # fmt: skip
_RESTORED_OBJECTS = (
    "DeleteObject", "ListMultipartUploadParts", "PutObject", "PutObjectAcl", "PutObjectTagging", "PutObjectVersionAcl",
)  # fmt: skip
_EVENTS = (
    "DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "ListTargetsByRule", "PutRule", "PutTargets",
    "RemoveTargets",
)  # fmt: skip
_KEY = ("Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")


@dataclass(frozen=True, kw_only=True)
class Where:
    """The account and region that a role works in, and the keys it uses: of what is read, and of the vaults."""

    account_id: str
    region: str
    key_arns: Sequence[str]

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        return f"arn:{partition(self.region)}:{service}:{self.region}:{self.account_id}:{resource}"


def trust(account_id: str) -> dict[str, Any]:
    """AWS Backup may take the role, on behalf of this account only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def backup_policy(where: Where, arns: Mapping[Place, str], vault_arns: Sequence[str]) -> dict[str, Any]:
    """Read the buckets and file systems at ``arns``, and put backups and copies into the vaults."""
    of = {kind: [arn for (found, _), arn in arns.items() if found == kind] for kind in ("s3", "efs", "fsx")}
    vaults = ["backup:DescribeBackupVault", "backup:CopyIntoBackupVault"]
    return _policy(
        _allow("Vaults", vaults, vault_arns),
        _allow("CopyTags", ["backup:TagResource"], [where.arn("backup", "recovery-point:*")]),
        _allow("FindTags", ["tag:GetResources"], ["*"]),
        *_keys(where),
        *(_buckets(where, of["s3"]) if of["s3"] else ()),
        *(
            [_allow("FileSystems", ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"], of["efs"])]
            if of["efs"]
            else []
        ),
        *(_lustre(where, of["fsx"]) if of["fsx"] else ()),
    )


def restore_policy(where: Where, kinds: Sequence[str]) -> dict[str, Any]:
    """Make new buckets and file systems from backups, beside the original ones; AWS Backup's own role deletes them."""
    statements = list(_keys(where))
    if "s3" in kinds:
        buckets = f"arn:{partition(where.region)}:s3:::{RESTORED_BUCKETS}"
        restored = (*_RESTORED_OBJECTS, *_OBJECTS, "GetObjectVersion", "GetObjectVersionAcl")
        statements.append(_allow("RestoredBuckets", _named("s3", _RESTORED_BUCKET), [buckets]))
        statements.append(_allow("RestoredObjects", _named("s3", restored), [f"{buckets}/*"]))
    if "efs" in kinds:
        actions = _named("elasticfilesystem", ("CreateFileSystem", "DescribeFileSystems", "Restore", "TagResource"))
        statements.append(_allow("FileSystems", actions, [where.arn("elasticfilesystem", "file-system/*")]))
    if "fsx" in kinds:
        systems, backups = where.arn("fsx", "file-system/*"), where.arn("fsx", "backup/*")
        statements.append(_allow("Lustre", ["fsx:CreateFileSystemFromBackup"], [systems, backups]))
        statements.append(_allow("LustreMade", ["fsx:DescribeFileSystems", "fsx:TagResource"], [systems]))
        statements.append(_allow("LustreBackups", ["fsx:DescribeBackups"], [backups]))
    return _policy(*statements)


def _keys(where: Where) -> list[dict[str, Any]]:
    grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        _allow("Keys", _named("kms", _KEY), where.key_arns),
        {**_allow("KeysForServices", ["kms:CreateGrant"], where.key_arns), "Condition": grants},
    ]


def _buckets(where: Where, arns: Sequence[str]) -> list[dict[str, Any]]:
    """Continuous backups follow a bucket by its events, for which AWS Backup keeps rules of its own."""
    objects = [f"{arn}/*" for arn in arns]
    return [
        _allow("Buckets", _named("s3", _BUCKET), arns),
        _allow("Objects", _named("s3", (*_OBJECTS, *_VERSIONS)), objects),
        _allow("ListBuckets", ["s3:ListAllMyBuckets", "events:ListRules", "cloudwatch:GetMetricData"], ["*"]),
        _allow("Events", _named("events", _EVENTS), [where.arn("events", "rule/AwsBackupManagedRule*")]),
    ]


def _lustre(where: Where, arns: Sequence[str]) -> list[dict[str, Any]]:
    backups = where.arn("fsx", "backup/*")
    kept = _named("fsx", ("CopyBackup", "DeleteBackup", "DescribeBackups", "ListTagsForResource", "TagResource"))
    return [
        _allow("Lustre", ["fsx:CreateBackup"], [*arns, backups]),
        _allow("LustreTags", ["fsx:DescribeFileSystems", "fsx:ListTagsForResource"], arns),
        _allow("LustreBackups", kept, [backups]),
    ]


def _named(service: str, actions: Sequence[str]) -> list[str]:
    return [f"{service}:{action}" for action in actions]


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
