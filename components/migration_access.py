"""What DataSync may do for one migration, as plain policies.

Source where none is named: DataSync guide, "Providing DataSync access to S3 buckets".
"""

from __future__ import annotations

from typing import Any

from .key_access import through_s3
from .naming import partition
from .settings import MigrationConfig
from .settings.data_pipeline import REPORTS

_LOOK = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
_READ = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"]
_UPLOAD = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]


def trust(account_id: str, regions: list[str]) -> dict[str, Any]:
    """DataSync, for locations and tasks of this account only: else it could be asked to by another customer."""
    where = sorted({f"arn:{partition(region)}:datasync:{region}:{account_id}:*" for region in regions})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "datasync.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": where}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def report_prefix(migration: str) -> str:
    """Where a migration's reports are, in the data bucket."""
    return f"{REPORTS}{migration}/"


def bucket_access(
    migration: str, config: MigrationConfig, region: str, account_id: str, bucket_arn: str, key_arn: str
) -> dict[str, Any]:
    """The data bucket: reports are written, and what comes, under its own prefix.

    Names can be listed in the whole bucket: DataSync looks at it when a location is made, before it knows a prefix.
    """
    ours = {"StringEquals": {"aws:ResourceAccount": account_id}}
    statements = [
        _allow("Report", _UPLOAD, f"{bucket_arn}/{report_prefix(migration)}*", ours),
        {"Sid": "Key", **through_s3(["kms:Decrypt", "kms:GenerateDataKey"], key_arn, region)},
    ]
    if config.prefix is not None:
        write = [*_READ, *_UPLOAD, "s3:PutObjectTagging", "s3:DeleteObject"]
        statements += [
            _allow("Look", _LOOK, bucket_arn, ours),
            _allow("Write", write, f"{bucket_arn}/{config.prefix}*", ours),
        ]
    return _policy(statements)


def source_access(config: MigrationConfig, region: str, account_id: str) -> dict[str, Any]:
    """The bucket that the data comes from: reading its prefix.

    While it is of the account that it is to be of: a name that is given up can be anybody's, with anybody's data.
    """
    source = config.s3
    assert source is not None  # who asks has looked
    arn = f"arn:{partition(region)}:s3:::{source.bucket}"
    theirs = {"StringEquals": {"aws:ResourceAccount": source.account_id or account_id}}
    statements = [_allow("Look", _LOOK, arn, theirs), _allow("Read", _READ, f"{arn}/{source.prefix or ''}*", theirs)]
    if source.kms_key_arn:
        statements.append({"Sid": "Key", **through_s3(["kms:Decrypt"], source.kms_key_arn, source.region)})
    return _policy(statements)


def efs_access(file_system_arn: str) -> dict[str, Any]:
    """Root of the file system: files keep the owners that they had, which the mount policy grants to nobody."""
    actions = [f"elasticfilesystem:Client{what}" for what in ("Mount", "Write", "RootAccess")]
    return _policy([_allow("Files", actions, file_system_arn)])


def log_access(region: str, account_id: str, log_group_arn: str) -> dict[str, Any]:
    """The policy of CloudWatch Logs by which DataSync writes there: DataSync guide, "Logging with CloudWatch"."""
    statement = {
        "Sid": "DataSyncLogs",
        "Effect": "Allow",
        "Principal": {"Service": "datasync.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{log_group_arn}:*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": f"arn:{partition(region)}:datasync:{region}:{account_id}:task/*"},
        },
    }
    return _policy([statement])


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resource: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement
