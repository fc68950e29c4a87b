"""S3 buckets and objects."""

from __future__ import annotations

import base64
import mimetypes
from typing import Any

from local.aws.cloud import Cloud, ServiceError, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.provider import ProviderError
from local.provider.values import Asset, Values

_HOSTED_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE"}
"""Route 53's zones of S3 website endpoints (AWS General Reference, S3 endpoints)."""


def _create_bucket(call: Call) -> str:
    name = call.inputs["bucket"]
    request: dict[str, Any] = {}
    if call.cloud.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": call.cloud.region}
    if call.inputs.get("objectLockEnabled"):
        request["ObjectLockEnabledForBucket"] = True
    if call.cloud.seek("s3", "head_bucket", Bucket=name) is not None and _tags(call.cloud, name):
        raise ServiceError("BucketAlreadyOwnedByYou", f"bucket {name} exists already and is not this resource's")
    call.cloud.call("s3", "create_bucket", Bucket=name, **request)
    call.cloud.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": tag_list(call.all_tags)})
    return name


def _settle_bucket(call: Call, changed: frozenset[str]) -> None:
    if "tags" in changed:
        call.cloud.call("s3", "put_bucket_tagging", Bucket=call.id, Tagging={"TagSet": tag_list(call.all_tags)})


def _tags(cloud: Cloud, name: str) -> dict[str, str]:
    answer = cloud.seek("s3", "get_bucket_tagging", Bucket=name)
    return tag_map((answer or {}).get("TagSet"))


def _read_bucket(cloud: Cloud, id: str, state: Values) -> Values | None:
    if cloud.seek("s3", "head_bucket", Bucket=id) is None:
        return None
    location = cloud.call("s3", "get_bucket_location", Bucket=id).get("LocationConstraint") or "us-east-1"
    return {
        "arn": f"arn:aws:s3:::{id}",
        "bucket": id,
        "bucketDomainName": f"{id}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{id}.s3.{location}.amazonaws.com",
        "bucketRegion": location,
        "hostedZoneId": _HOSTED_ZONES.get(location, "Z3AQBSTGFYJSTF"),
        "tags": _tags(cloud, id),
    }


def _delete_bucket(cloud: Cloud, id: str, state: Values) -> None:
    if state.get("forceDestroy") and cloud.seek("s3", "head_bucket", Bucket=id) is not None:
        _empty(cloud, id)
    try:
        gone_is_fine(lambda: cloud.call("s3", "delete_bucket", Bucket=id))
    except ServiceError as error:
        if error.code == "BucketNotEmpty":
            raise ProviderError(
                f"bucket {id} still holds objects, so it is not deleted; empty it, or set force_destroy in the program"
            ) from None
        raise


def _empty(cloud: Cloud, bucket: str) -> None:
    """Remove all objects with all their versions."""
    while True:
        answer = cloud.call("s3", "list_object_versions", Bucket=bucket)
        entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        if not entries:
            return
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in entries]
        answer = cloud.call(
            "s3", "delete_objects", Bucket=bucket, BypassGovernanceRetention=True,
            Delete={"Objects": objects, "Quiet": True},
        )  # fmt: skip
        if errors := answer.get("Errors"):
            raise ProviderError(
                f"bucket {bucket} keeps {len(errors)} of its objects, the first of them {errors[0]['Key']}: "
                f"{errors[0].get('Message', errors[0].get('Code', ''))}"
            )


def _find_bucket(call: Call) -> list[str]:
    """By name and tags.

    A bucket with the very name and no tags was left between its creation and its tagging: it is this resource's.
    """

    def listed(beginning: str) -> list[str]:
        return [one["Name"] for one in call.cloud.call("s3", "list_buckets")["Buckets"]]

    found: list[str] = []
    for one in call.possible_names(listed, of="bucket"):
        if call.cloud.seek("s3", "head_bucket", Bucket=one) is None:
            continue
        tags = _tags(call.cloud, one)
        if tags.get(URN_TAG) == call.urn or (not tags and one == call.inputs["bucket"]):
            found.append(one)
    return found


# -- Objects ----------------------------------------------------------------------------------------------------------

_OBJECT_FIELDS = {
    "contentType": "ContentType", "cacheControl": "CacheControl", "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding", "contentLanguage": "ContentLanguage", "metadata": "Metadata",
    "storageClass": "StorageClass", "serverSideEncryption": "ServerSideEncryption", "kmsKeyId": "SSEKMSKeyId",
    "bucketKeyEnabled": "BucketKeyEnabled",
}  # fmt: skip


def _body(inputs: Values) -> bytes:
    if inputs.get("content") is not None:
        return str(inputs["content"]).encode()
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"])
    source = inputs.get("source")
    if isinstance(source, Asset):
        return source.content()
    return b""


def _put_object(call: Call) -> str:
    inputs = call.inputs
    request = {member: inputs[name] for name, member in _OBJECT_FIELDS.items() if inputs.get(name) is not None}
    request.setdefault("ContentType", mimetypes.guess_type(inputs["key"])[0] or "application/octet-stream")
    # Without the URN: it has characters that S3 refuses in an object's tags, and the key is all that finds an object.
    tags = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in call.tags.items())
    body = _body(inputs)
    call.cloud.call("s3", "put_object", Bucket=inputs["bucket"], Key=inputs["key"], Body=body, Tagging=tags, **request)
    return f"{inputs['bucket']}/{inputs['key']}"


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _settle_object(call: Call, changed: frozenset[str]) -> None:
    bucket, key = call.inputs["bucket"], call.inputs["key"]
    if changed - {"tags"}:
        _put_object(call)
    elif changed:
        tags = {"TagSet": tag_list(call.tags)}
        call.cloud.call("s3", "put_object_tagging", Bucket=bucket, Key=key, Tagging=tags)


def _read_object(cloud: Cloud, id: str, state: Values) -> Values | None:
    bucket, key = id.split("/", 1)
    head = cloud.seek("s3", "head_object", Bucket=bucket, Key=key)
    if head is None:
        return None
    etag = str(head["ETag"]).strip('"')
    tags = cloud.call("s3", "get_object_tagging", Bucket=bucket, Key=key)["TagSet"]
    found: Values = {
        "arn": f"arn:aws:s3:::{bucket}/{key}",
        "bucket": bucket,
        "key": key,
        "contentType": head.get("ContentType", ""),
        "etag": etag,
        "versionId": head.get("VersionId", ""),
        "metadata": head.get("Metadata", {}),
        "storageClass": head.get("StorageClass") or "STANDARD",
        "serverSideEncryption": head.get("ServerSideEncryption", "AES256"),
        "tags": tag_map(tags),
    }
    for given in ("content", "contentBase64"):
        if state.get("etag") and state["etag"] != etag and state.get(given) is not None:
            found[given] = f"(changed behind the state's back: etag {etag})"
    return found


def _delete_object(cloud: Cloud, id: str, state: Values) -> None:
    """All versions go: an object that was declared is not kept as an old version of nothing."""
    bucket, key = id.split("/", 1)

    def delete() -> None:
        answer = cloud.call("s3", "list_object_versions", Bucket=bucket, Prefix=key)
        for one in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]:
            if one["Key"] == key:
                cloud.call("s3", "delete_object", Bucket=bucket, Key=key, VersionId=one["VersionId"])

    gone_is_fine(delete)


TYPES = (
    ResourceType(
        token="aws:s3/bucket:Bucket",
        create=_create_bucket,
        read=_read_bucket,
        delete=_delete_bucket,
        find=_find_bucket,
        settle=_settle_bucket,
        replace_on=("bucket", "bucketPrefix", "objectLockEnabled"),
        defaults={"forceDestroy": False, "objectLockEnabled": False, "requestPayer": "BucketOwner"},
        autoname=("bucket", 63),
    ),
    ResourceType(
        token="aws:s3/bucketObjectv2:BucketObjectv2",
        create=_put_object,
        read=_read_object,
        delete=_delete_object,
        settle=_settle_object,
        replace_on=("bucket", "key"),
        defaults={"forceDestroy": False, "storageClass": "STANDARD"},
        volatile=("etag", "versionId"),
    ),
)
"""Buckets and objects."""
