"""What hangs on a bucket, each as a resource of its own: versioning, encryption, access block, lifecycle, …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from local.aws.cloud import Cloud, ServiceError
from local.aws.resource_type import Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members
from local.provider.values import Values

Entry = dict[str, Any]


def _setting(
    token: str,
    put: Callable[[Call], None],
    get: Callable[[Cloud, str], Values | None],
    delete: Callable[[Cloud, str], object],
    defaults: Values | None = None,
) -> ResourceType:
    """A document of a bucket that is put as a whole; its id is the bucket's name."""

    def create(call: Call) -> str:
        put(call)
        return call.inputs["bucket"]

    def settle(call: Call, changed: frozenset[str]) -> None:
        put(call)

    def read(cloud: Cloud, id: str, state: Values) -> Values | None:
        found = get(cloud, id)
        return None if found is None else {"bucket": id, **found}

    def remove(cloud: Cloud, id: str, state: Values) -> None:
        gone_is_fine(lambda: delete(cloud, id))

    return ResourceType(
        token=token, create=create, read=read, delete=remove, settle=settle,
        replace_on=("bucket", "expectedBucketOwner"), taggable=False, delete_before_replace=True,
        defaults=defaults or {},
    )  # fmt: skip


# -- versioning -------------------------------------------------------------------------------------------------------


def _put_versioning(call: Call) -> None:
    wanted = call.inputs["versioningConfiguration"]
    configuration = {"Status": wanted["status"]}
    if wanted.get("mfaDelete"):
        configuration["MFADelete"] = wanted["mfaDelete"]
    if wanted["status"] != "Disabled":
        call.cloud.call(
            "s3", "put_bucket_versioning", Bucket=call.inputs["bucket"], VersioningConfiguration=configuration
        )


def _get_versioning(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_bucket_versioning", Bucket=bucket)
    if answer is None:
        return None
    status = answer.get("Status", "Disabled")
    return {"versioningConfiguration": {"status": status, "mfaDelete": answer.get("MFADelete", "Disabled")}}


def _suspend_versioning(cloud: Cloud, bucket: str) -> None:
    cloud.call("s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


# -- encryption -------------------------------------------------------------------------------------------------------


def _put_encryption(call: Call) -> None:
    rules: list[Entry] = []
    for rule in call.inputs["rules"]:
        default = rule.get("applyServerSideEncryptionByDefault")
        entry: Entry = {}
        if default:
            entry["ApplyServerSideEncryptionByDefault"] = {"SSEAlgorithm": default["sseAlgorithm"]}
            if default.get("kmsMasterKeyId"):
                entry["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        if rule.get("bucketKeyEnabled") is not None:
            entry["BucketKeyEnabled"] = bool(rule["bucketKeyEnabled"])
        rules.append(entry)
    call.cloud.call(
        "s3", "put_bucket_encryption", Bucket=call.inputs["bucket"],
        ServerSideEncryptionConfiguration={"Rules": rules},
    )  # fmt: skip


def _get_encryption(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_bucket_encryption", Bucket=bucket)
    if answer is None:
        return None
    rules: list[Values] = []
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        rules.append(
            {
                "applyServerSideEncryptionByDefault": {
                    "sseAlgorithm": default.get("SSEAlgorithm", "AES256"),
                    "kmsMasterKeyId": default.get("KMSMasterKeyID", ""),
                },
                "bucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
            }
        )
    return {"rules": rules}


# -- public access block ----------------------------------------------------------------------------------------------

_BLOCKS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


def _put_block(call: Call) -> None:
    block = {member: bool(call.inputs.get(name, False)) for name, member in _BLOCKS.items()}
    call.cloud.call("s3", "put_public_access_block", Bucket=call.inputs["bucket"], PublicAccessBlockConfiguration=block)


def _get_block(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_public_access_block", Bucket=bucket)
    if answer is None:
        return None
    return {name: answer["PublicAccessBlockConfiguration"].get(member, False) for name, member in _BLOCKS.items()}


# -- lifecycle --------------------------------------------------------------------------------------------------------

_LISTS = {"transitions": "Transitions", "noncurrentVersionTransitions": "NoncurrentVersionTransitions"}
_OBJECTS = {
    "expiration": "Expiration",
    "noncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
}


def _members(value: Values) -> Entry:
    """``days`` → ``Days``: S3's members differ by their first letter only."""
    return {key[:1].upper() + key[1:]: item for key, item in value.items() if item is not None}


def _lifecycle_filter(given: Values) -> Entry:
    if given.get("and"):
        both = cast(Values, given["and"])
        entry = {k: v for k, v in _members(both).items() if k != "Tags"}
        return {"And": {**entry, "Tags": [{"Key": k, "Value": v} for k, v in (both.get("tags") or {}).items()]}}
    if given.get("tag"):
        return {"Tag": {"Key": given["tag"]["key"], "Value": given["tag"]["value"]}}
    return _members({k: v for k, v in given.items() if k in ("prefix", "objectSizeGreaterThan", "objectSizeLessThan")})


def _put_lifecycle(call: Call) -> None:
    rules: list[Entry] = []
    for rule in call.inputs["rules"]:
        entry: Entry = {"ID": rule["id"], "Status": rule["status"]}
        entry["Filter"] = _lifecycle_filter(rule.get("filter") or {"prefix": rule.get("prefix", "")}) or {"Prefix": ""}
        entry |= {member: [_members(one) for one in rule[name]] for name, member in _LISTS.items() if rule.get(name)}
        entry |= {member: _members(rule[name]) for name, member in _OBJECTS.items() if rule.get(name)}
        rules.append(entry)
    call.cloud.call(
        "s3", "put_bucket_lifecycle_configuration", Bucket=call.inputs["bucket"],
        LifecycleConfiguration={"Rules": rules},
    )  # fmt: skip


def _get_lifecycle(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_bucket_lifecycle_configuration", Bucket=bucket)
    if answer is None:
        return None
    rules: list[Values] = []
    for rule in answer["Rules"]:
        entry = {**from_members({k: v for k, v in rule.items() if k not in ("ID", "Filter")}), "id": rule["ID"]}
        found = from_members(rule.get("Filter") or {})
        if "and" in found:
            tags = {one["key"]: one["value"] for one in found["and"].pop("tags", [])}
            found["and"] = {**found["and"], "tags": tags}
        rules.append({**entry, "filter": found})
    return {"rules": rules, "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}


# -- ownership, policy ------------------------------------------------------------------------------------------------


def _put_ownership(call: Call) -> None:
    rules = {"Rules": [{"ObjectOwnership": call.inputs["rule"]["objectOwnership"]}]}
    call.cloud.call("s3", "put_bucket_ownership_controls", Bucket=call.inputs["bucket"], OwnershipControls=rules)


def _get_ownership(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_bucket_ownership_controls", Bucket=bucket)
    return answer and {"rule": {"objectOwnership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}}


def _put_policy(call: Call) -> None:
    call.cloud.call("s3", "put_bucket_policy", Bucket=call.inputs["bucket"], Policy=call.inputs["policy"])


def _get_policy(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_bucket_policy", Bucket=bucket)
    return answer and {"policy": answer["Policy"]}


# -- object lock ------------------------------------------------------------------------------------------------------


def _put_lock(call: Call) -> None:
    configuration: Entry = {"ObjectLockEnabled": "Enabled"}
    if rule := call.inputs.get("rule"):
        configuration["Rule"] = {"DefaultRetention": _members(rule["defaultRetention"])}
    call.cloud.call(
        "s3", "put_object_lock_configuration", Bucket=call.inputs["bucket"], ObjectLockConfiguration=configuration
    )


def _get_lock(cloud: Cloud, bucket: str) -> Values | None:
    answer = cloud.seek("s3", "get_object_lock_configuration", Bucket=bucket)
    if answer is None:
        return None
    found = answer["ObjectLockConfiguration"]
    retention = {k: v for k, v in found.get("Rule", {}).get("DefaultRetention", {}).items() if v}
    rule = {"rule": {"defaultRetention": from_members(retention)}} if retention else {}
    return {"objectLockEnabled": found["ObjectLockEnabled"], **rule}


def _drop_lock(cloud: Cloud, bucket: str) -> None:
    """S3 never unlocks a bucket; only what new versions are locked for can end.

    moto changes that on empty buckets only (S3 on all): there it ends with the bucket.
    """
    try:
        configuration = {"ObjectLockEnabled": "Enabled"}
        cloud.call("s3", "put_object_lock_configuration", Bucket=bucket, ObjectLockConfiguration=configuration)
    except ServiceError as error:
        if error.code != "InvalidBucket":
            raise


TYPES = (
    _setting("aws:s3/bucketVersioning:BucketVersioning", _put_versioning, _get_versioning, _suspend_versioning),
    _setting(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        _put_encryption,
        _get_encryption,
        lambda cloud, bucket: cloud.call("s3", "delete_bucket_encryption", Bucket=bucket),
    ),
    _setting(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        _put_block,
        _get_block,
        lambda cloud, bucket: cloud.call("s3", "delete_public_access_block", Bucket=bucket),
        dict.fromkeys(_BLOCKS, False),
    ),
    _setting(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        _put_lifecycle,
        _get_lifecycle,
        lambda cloud, bucket: cloud.call("s3", "delete_bucket_lifecycle", Bucket=bucket),
    ),
    _setting("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", _put_lock, _get_lock, _drop_lock),
    _setting(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        _put_ownership,
        _get_ownership,
        lambda cloud, bucket: cloud.call("s3", "delete_bucket_ownership_controls", Bucket=bucket),
    ),
    _setting(
        "aws:s3/bucketPolicy:BucketPolicy",
        _put_policy,
        _get_policy,
        lambda cloud, bucket: cloud.call("s3", "delete_bucket_policy", Bucket=bucket),
    ),
)
"""What hangs on a bucket."""
