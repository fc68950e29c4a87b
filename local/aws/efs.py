"""EFS: file systems, mount targets and access points; moto 5.2.5 keeps policies it cannot remove, and no backups."""

from __future__ import annotations

import uuid
from typing import Any

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.described import Described, Entry
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.aws.shapes import from_members
from local.aws.tagging import Tagging
from local.provider import ProviderError
from local.provider.values import Values

_TAGS = Tagging("efs", "ResourceId", tags="Tags", keys="TagKeys")
_MOVES = {
    "transitionToIa": "TransitionToIA",
    "transitionToArchive": "TransitionToArchive",
    "transitionToPrimaryStorageClass": "TransitionToPrimaryStorageClass",
}


def _system_values(call: Call) -> Values:
    """Adoption goes by the tags; a token that is the same for the same URN would forbid its replacement."""
    return {"creationToken": uuid.uuid4().hex, **call.inputs}


def _change_system(call: Call, changed: frozenset[str]) -> None:
    if "lifecyclePolicies" not in changed:
        return
    wanted: list[dict[str, Any]] = call.inputs.get("lifecyclePolicies") or []
    policies = [{_MOVES[name]: value for name, value in policy.items() if value} for policy in wanted]
    call.cloud.call("efs", "put_lifecycle_configuration", FileSystemId=call.id, LifecyclePolicies=policies)


def _system(cloud: Cloud, entry: Entry) -> Values:
    id = entry["FileSystemId"]
    found = cloud.call("efs", "describe_lifecycle_configuration", FileSystemId=id)["LifecyclePolicies"]
    names = {member: name for name, member in _MOVES.items()}
    policies = [{names[member]: value for member, value in policy.items()} for policy in found]
    throughput = entry.get("ProvisionedThroughputInMibps")
    return {
        "arn": entry["FileSystemArn"],
        "creationToken": entry["CreationToken"],
        "dnsName": f"{id}.efs.{cloud.region}.amazonaws.com",
        "encrypted": entry["Encrypted"],
        "kmsKeyId": entry.get("KmsKeyId") or "",
        "performanceMode": entry["PerformanceMode"],
        "throughputMode": entry["ThroughputMode"],
        "ownerId": entry["OwnerId"],
        "name": entry.get("Name", ""),
        **({"lifecyclePolicies": policies} if policies else {}),
        **({"provisionedThroughputInMibps": throughput} if throughput else {}),
    }


def _change_target(call: Call, changed: frozenset[str]) -> None:
    if "securityGroups" in changed:
        groups = call.inputs.get("securityGroups") or []
        call.cloud.call("efs", "modify_mount_target_security_groups", MountTargetId=call.id, SecurityGroups=groups)


def _target(cloud: Cloud, entry: Entry) -> Values:
    id, system = entry["MountTargetId"], entry["FileSystemId"]
    answer = cloud.call("efs", "describe_mount_target_security_groups", MountTargetId=id)
    name = f"{system}.efs.{cloud.region}.amazonaws.com"
    return {
        "fileSystemId": system,
        "fileSystemArn": cloud.arn("elasticfilesystem", f"file-system/{system}"),
        "subnetId": entry["SubnetId"],
        "ipAddress": entry["IpAddress"],
        "networkInterfaceId": entry["NetworkInterfaceId"],
        "availabilityZoneId": entry["AvailabilityZoneId"],
        "availabilityZoneName": entry["AvailabilityZoneName"],
        "dnsName": name,
        "mountTargetDnsName": f"{entry['AvailabilityZoneName']}.{name}",
        "ownerId": entry["OwnerId"],
        "securityGroups": answer.get("SecurityGroups", []),
    }


def _point(cloud: Cloud, entry: Entry) -> Values:
    return {
        "arn": entry["AccessPointArn"],
        "fileSystemId": entry["FileSystemId"],
        "fileSystemArn": cloud.arn("elasticfilesystem", f"file-system/{entry['FileSystemId']}"),
        "ownerId": ACCOUNT,
        "posixUser": from_members(entry.get("PosixUser") or {}),
        "rootDirectory": from_members(entry["RootDirectory"]),
    }


def _needs_system(call: Call) -> None:
    id = call.inputs["fileSystemId"]
    if call.cloud.seek("efs", "describe_file_systems", FileSystemId=id) is None:
        raise ProviderError(f"there is no EFS file system {id} in {call.cloud.region}")


def _of_system(call: Call) -> Values:
    return {"id": call.inputs["fileSystemId"]}


TYPES = (
    Described(
        token="aws:efs/fileSystem:FileSystem",
        service="efs",
        create="CreateFileSystem",
        describe="DescribeFileSystems",
        entries="FileSystems",
        page={"MaxItems": 1000},
        id="FileSystemId",
        ask=lambda id: {"FileSystemId": id},
        delete="DeleteFileSystem",
        values=_system_values,
        drop=("lifecyclePolicies", "protection"),
        outputs=_system,
        noted=("throughputMode", "provisionedThroughputInMibps", "protection"),
        change=_change_system,
        settled_on_create=frozenset({"lifecyclePolicies"}),
        tagging=_TAGS,
        tag_target="FileSystemId",
        replace_on=("creationToken", "encrypted", "kmsKeyId", "performanceMode", "availabilityZoneName"),
        defaults={"encrypted": False, "performanceMode": "generalPurpose", "throughputMode": "bursting"},
    ).type(),
    Described(
        token="aws:efs/mountTarget:MountTarget",
        service="efs",
        create="CreateMountTarget",
        describe="DescribeMountTargets",
        entries="MountTargets",
        listing=lambda call: {"FileSystemId": call.inputs["fileSystemId"]},
        id="MountTargetId",
        ask=lambda id: {"MountTargetId": id},
        delete="DeleteMountTarget",
        outputs=_target,
        change=_change_target,
        same=lambda call, entry: entry["SubnetId"] == call.inputs["subnetId"],
        replace_on=("fileSystemId", "subnetId", "ipAddress", "ipAddressType"),
    ).type(),
    Described(
        token="aws:efs/accessPoint:AccessPoint",
        service="efs",
        create="CreateAccessPoint",
        describe="DescribeAccessPoints",
        entries="AccessPoints",
        id="AccessPointId",
        ask=lambda id: {"AccessPointId": id},
        delete="DeleteAccessPoint",
        values=lambda call: {"clientToken": uuid.uuid4().hex, **call.inputs},
        outputs=_point,
        tagging=_TAGS,
        tag_target="AccessPointId",
        replace_on=("fileSystemId", "posixUser", "rootDirectory"),
    ).type(),
    recorded_type(
        token="aws:efs/fileSystemPolicy:FileSystemPolicy",
        service="efs",
        operation="PutFileSystemPolicy",
        outputs=_of_system,
        replace_on=("fileSystemId",),
        taggable=False,
        check=_needs_system,
    ),
    recorded_type(
        token="aws:efs/backupPolicy:BackupPolicy",
        service="efs",
        operation="PutBackupPolicy",
        outputs=_of_system,
        replace_on=("fileSystemId",),
        taggable=False,
        check=_needs_system,
    ),
)
"""EFS' types."""
