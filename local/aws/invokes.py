"""Functions of the provider. Those about the account and regions are answered without a running cloud."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.eks_cluster import read_cluster
from local.files import write_atomically
from local.paths import cache_root
from local.provider import ProviderError
from local.provider.values import Values

_TEXT_TYPES = ("text/", "application/json")
_ROOT = f"arn:aws:iam::{ACCOUNT}:root"

_OF_A_CLUSTER = (
    "arn", "createdAt", "enabledClusterLogTypes", "endpoint", "identities", "platformVersion", "roleArn", "status",
    "tags", "version", "vpcConfig",
)  # fmt: skip

# What an object of S3 may carry and none of this project's does.
_NEVER_SET = (
    "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "expiration", "expires",
    "objectLockLegalHoldStatus", "objectLockMode", "objectLockRetainUntilDate", "websiteRedirectLocation",
)  # fmt: skip


@functools.cache
def _table() -> Mapping[str, list[list[str]]]:
    """Names and ids of every region's zones, as moto answers with them.

    Kept in the cache: moto's EC2 takes a second to import, and every preview asks.
    """
    kept = cache_root() / f"zones-of-moto-{importlib.metadata.version('moto')}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(kept.read_text())
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    zones = RegionsAndZonesBackend.zones
    table = {region: [[zone.name, zone.zone_id] for zone in known] for region, known in zones.items()}
    with contextlib.suppress(OSError):  # a cache that cannot be written costs the second again
        write_atomically(kept, json.dumps(table))
    return table


def _zones(region: str) -> list[list[str]]:
    """Names and ids of the region's zones."""
    zones = _table().get(region)
    if not zones:
        raise ProviderError(f"{region} is not a region of AWS; set aws:region to one, for example us-east-1")
    return zones


def _availability_zones(cloud: Cloud, args: Values) -> Values:
    """The zones that are ``available``; ids and names can be excluded, nothing else can be asked for here."""
    excluded = {*(args.get("excludeNames") or []), *(args.get("excludeZoneIds") or [])}
    known = [zone for zone in _zones(cloud.region) if not excluded & set(zone)]
    if args.get("state") not in (None, "available"):
        known = []
    return {
        **args,
        "id": cloud.region,
        "region": cloud.region,
        "names": [name for name, _ in known],
        "zoneIds": [id for _, id in known],
        "groupNames": [cloud.region],
    }


def _caller_identity(cloud: Cloud, args: Values) -> Values:
    return {"id": ACCOUNT, "accountId": ACCOUNT, "arn": _ROOT, "userId": ACCOUNT}


def _partition(cloud: Cloud, args: Values) -> Values:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _region(cloud: Cloud, args: Values) -> Values:
    region = args.get("name") or args.get("region") or cloud.region
    _zones(region)
    return {
        "id": region, "name": region, "region": region, "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }  # fmt: skip


def _image(cloud: Cloud, args: Values) -> Values:
    """An image of that name and owner: there is none here, so its id follows from the region and the question."""
    owners = args.get("owners") or []
    names = [name for one in args.get("filters") or [] if one.get("name") == "name" for name in one["values"]]
    if not (owners and names):
        raise ProviderError("an image is looked for by its owner and its name here: give owners and a filter of name")
    asked = json.dumps([cloud.region, owners, names])
    id = f"ami-{hashlib.sha256(asked.encode()).hexdigest()[:17]}"
    return {**args, "id": id, "imageId": id, "name": names[0], "ownerId": owners[0], "region": cloud.region}


def _object(cloud: Cloud, args: Values) -> Values:
    """An object's properties; its body only where it is text, as with the official provider."""
    bucket, key = args["bucket"], args["key"]
    answer = cloud.seek("s3", "get_object", Bucket=bucket, Key=key, **_version(args))
    if answer is None:
        raise ProviderError(f"s3://{bucket}/{key} does not exist in {cloud.region}")
    kind = str(answer.get("ContentType", ""))
    body = answer["Body"].read()
    return {
        "id": f"{bucket}/{key}",
        "region": cloud.region,
        "arn": f"arn:aws:s3:::{bucket}/{key}",
        "bucket": bucket,
        "key": key,
        "body": body.decode() if kind.startswith(_TEXT_TYPES) else "",
        "contentType": kind,
        "contentLength": len(body),
        "etag": str(answer["ETag"]).strip('"'),
        "lastModified": answer["LastModified"].isoformat(),
        "metadata": answer.get("Metadata", {}),
        "versionId": answer.get("VersionId", ""),
        "storageClass": answer.get("StorageClass") or "STANDARD",
        "bucketKeyEnabled": bool(answer.get("BucketKeyEnabled", False)),
        "serverSideEncryption": answer.get("ServerSideEncryption", ""),
        "sseKmsKeyId": answer.get("SSEKMSKeyId", ""),
        "tags": {},
        **dict.fromkeys(_NEVER_SET, ""),
    }  # fmt: skip


def _objects(cloud: Cloud, args: Values) -> Values:
    """The keys with a prefix, a thousand at most as S3 lists at once; none in a bucket that is not there."""
    found = cloud.seek("s3", "list_objects_v2", Bucket=args["bucket"], Prefix=args.get("prefix") or "")
    keys = [one["Key"] for one in (found or {}).get("Contents", [])]
    return {**args, "id": args["bucket"], "region": cloud.region, "keys": keys, "owners": [], "commonPrefixes": []}


def _cluster(cloud: Cloud, args: Values) -> Values:
    """A cluster that some other program has made."""
    found = read_cluster(cloud, args["name"], {})
    if found is None:
        raise ProviderError(f"there is no EKS cluster {args['name']} in {cloud.region}")
    return {
        **args,
        **{key: found[key] for key in _OF_A_CLUSTER},
        "id": args["name"],
        "region": cloud.region,
        "certificateAuthorities": [found["certificateAuthority"]],
        "kubernetesNetworkConfigs": [found["kubernetesNetworkConfig"]],
    }


def _version(args: Values) -> Values:
    return {"VersionId": args["versionId"]} if args.get("versionId") else {}


INVOKES: Mapping[str, Callable[[Cloud, Values], Mapping[str, Any]]] = {
    "aws:ec2/getAmi:getAmi": _image,
    "aws:eks/getCluster:getCluster": _cluster,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:s3/getObject:getObject": _object,
    "aws:s3/getObjects:getObjects": _objects,
}
"""Every function that is answered here, by its token."""
