"""What copies data to another region: recorded, for moto takes the rules and copies nothing.

What copies on one machine can read the records: they hold what was declared, whole, where moto forgets most of it.
"""

from __future__ import annotations

import hashlib

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.provider import ProviderError
from local.provider.values import Values

# -- S3 ---------------------------------------------------------------------------------------------------------------


def _bucket_values(given: Values) -> Values:
    configuration = {"role": given["role"], "rules": given["rules"]}
    return {"bucket": given["bucket"], "replicationConfiguration": configuration, "token": given.get("token")}


def _check_buckets(call: Call) -> None:
    """S3 refuses a rule between buckets without versions, and one from a locked bucket to one that is not."""
    source = call.inputs["bucket"]
    for bucket in (source, *_destinations(call)):
        answer = call.cloud.seek("s3", "get_bucket_versioning", Bucket=bucket)
        if answer is None:
            raise ProviderError(f"{source} cannot be replicated: there is no bucket {bucket}")
        if answer.get("Status") != "Enabled":
            raise ProviderError(f"{source} cannot be replicated: bucket {bucket} keeps no versions")
    unlocked = [bucket for bucket in _destinations(call) if not _is_locked(call.cloud, bucket)]
    if unlocked and _is_locked(call.cloud, source):
        raise ProviderError(f"{source} has an object lock, and cannot be replicated to {unlocked[0]}, which has none")


def _destinations(call: Call) -> list[str]:
    return [str(rule["destination"]["bucket"]).rpartition(":")[2] for rule in call.inputs["rules"]]


def _is_locked(cloud: Cloud, bucket: str) -> bool:
    return cloud.seek("s3", "get_object_lock_configuration", Bucket=bucket) is not None


# -- EFS --------------------------------------------------------------------------------------------------------------


def _check_system(call: Call) -> None:
    id = call.inputs["sourceFileSystemId"]
    if call.cloud.seek("efs", "describe_file_systems", FileSystemId=id) is None:
        raise ProviderError(f"there is no EFS file system {id} in {call.cloud.region}")


def _replica(call: Call) -> Values:
    """EFS makes the replica, unless one is named; nothing deletes it with the rule."""
    source = call.inputs["sourceFileSystemId"]
    destination = dict(call.inputs["destination"])
    region = destination.setdefault("region", call.cloud.region)
    destination.setdefault("fileSystemId", _replica_id(call, source, call.cloud.account.at(region)))
    arn = call.cloud.arn("elasticfilesystem", f"file-system/{source}")
    return {
        "id": source,
        "destination": {**destination, "status": "ENABLED"},
        "sourceFileSystemArn": arn,
        "originalSourceFileSystemArn": arn,
        "sourceFileSystemRegion": call.cloud.region,
    }


def _replica_id(call: Call, source: str, there: Cloud) -> str:
    token = hashlib.sha256(f"{call.urn} {source}".encode()).hexdigest()
    found = (there.seek("efs", "describe_file_systems", CreationToken=token) or {}).get("FileSystems", [])
    if found:
        return found[0]["FileSystemId"]
    key = call.inputs["destination"].get("kmsKeyId")
    encryption = {"Encrypted": True, **({"KmsKeyId": key} if key else {})}
    return there.call("efs", "create_file_system", CreationToken=token, **encryption)["FileSystemId"]


# -- ECR --------------------------------------------------------------------------------------------------------------


def _registry(call: Call) -> Values:
    return {"id": ACCOUNT, "registryId": ACCOUNT}


def _check_registry(call: Call) -> None:
    for rule in call.inputs["replicationConfiguration"]["rules"]:
        if {"region": call.cloud.region, "registryId": ACCOUNT} in rule["destinations"]:
            raise ProviderError(f"the registry in {call.cloud.region} cannot be replicated to itself")


TYPES = (
    recorded_type(
        token="aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        service="s3",
        operation="PutBucketReplication",
        values=_bucket_values,
        outputs=lambda call: {"id": call.inputs["bucket"]},
        replace_on=("bucket",),
        taggable=False,
        check=_check_buckets,
    ),
    recorded_type(
        token="aws:efs/replicationConfiguration:ReplicationConfiguration",
        service="efs",
        operation="CreateReplicationConfiguration",
        renames={"destination": "Destinations"},
        outputs=_replica,
        replace_on=("sourceFileSystemId", "destination"),
        taggable=False,
        check=_check_system,
    ),
    recorded_type(
        token="aws:ecr/replicationConfiguration:ReplicationConfiguration",
        service="ecr",
        operation="PutReplicationConfiguration",
        outputs=_registry,
        replace_on=(),
        taggable=False,
        check=_check_registry,
    ),
)
"""Rules of replication."""
