"""FSx for Lustre: file systems; moto 5.2.5 has no data repository associations, so they are recorded."""

from __future__ import annotations

import hashlib

from local.aws.cloud import ACCOUNT, Cloud
from local.aws.described import Described, Entry
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.aws.shapes import from_members
from local.aws.tagging import Tagging
from local.provider import ProviderError
from local.provider.values import Values

_TAGS = Tagging("fsx", "ResourceARN", tags="Tags", keys="TagKeys")
_OWN = ("storageCapacity", "storageType", "subnetIds", "securityGroupIds", "kmsKeyId", "fileSystemTypeVersion")
"""What a request says of any file system; the rest is Lustre's."""
_LOCAL = ("skipFinalBackup", "finalBackupTags", "backupId", "tags", "tagsAll", "region")


def _values(call: Call) -> Values:
    lustre = {k: v for k, v in call.inputs.items() if k not in (*_OWN, *_LOCAL)}
    return {"fileSystemType": "LUSTRE", **call.of(*_OWN), "lustreConfiguration": lustre}


def _outputs(cloud: Cloud, entry: Entry) -> Values:
    """FSx tells no security groups: only the network interfaces have them."""
    id = entry["FileSystemId"]
    (subnet,) = entry["SubnetIds"]
    found = cloud.seek("ec2", "describe_subnets", SubnetIds=[subnet]) or {"Subnets": []}
    return {
        "arn": entry["ResourceARN"],
        "dnsName": entry["DNSName"],
        "mountName": id.removeprefix("fs-"),  # eight letters that FSx makes up
        "storageCapacity": entry["StorageCapacity"],
        "storageType": entry.get("StorageType") or "SSD",
        "subnetIds": subnet,
        "kmsKeyId": entry.get("KmsKeyId") or "",
        "vpcId": next((one["VpcId"] for one in found["Subnets"]), ""),
        "ownerId": ACCOUNT,
        "networkInterfaceIds": [],
        **from_members(entry.get("LustreConfiguration") or {}),
    }


def _needs_system(call: Call) -> None:
    id = call.inputs["fileSystemId"]
    if not call.cloud.call("fsx", "describe_file_systems", FileSystemIds=[id])["FileSystems"]:
        raise ProviderError(f"there is no FSx file system {id} in {call.cloud.region}")


def _association(call: Call) -> Values:
    id = f"dra-{hashlib.sha256(call.urn.encode()).hexdigest()[:17]}"
    arn = call.cloud.arn("fsx", f"association/{call.inputs['fileSystemId']}/{id}")
    return {"id": id, "associationId": id, "arn": arn}


TYPES = (
    Described(
        token="aws:fsx/lustreFileSystem:LustreFileSystem",
        service="fsx",
        create="CreateFileSystem",
        made="FileSystem",
        describe="DescribeFileSystems",
        entries="FileSystems",
        id="FileSystemId",
        ask=lambda id: {"FileSystemIds": [id]},
        delete="DeleteFileSystem",
        values=_values,
        outputs=_outputs,
        noted=(
            "storageCapacity", "perUnitStorageThroughput", "dataCompressionType", "automaticBackupRetentionDays",
            "dailyAutomaticBackupStartTime", "weeklyMaintenanceStartTime", "metadataConfiguration", "logConfiguration",
            "rootSquashConfiguration", "fileSystemTypeVersion",
        ),
        tagging=_TAGS,
        tag_target="ResourceARN",
        replace_on=(
            "subnetIds", "securityGroupIds", "deploymentType", "storageType", "kmsKeyId", "efaEnabled",
            "copyTagsToBackups", "importPath", "exportPath", "importedFileChunkSize", "driveCacheType", "backupId",
        ),
        defaults={"storageType": "SSD", "skipFinalBackup": True},
    ).type(),
    recorded_type(
        token="aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation",
        service="fsx",
        operation="CreateDataRepositoryAssociation",
        outputs=_association,
        replace_on=("fileSystemId", "fileSystemPath", "dataRepositoryPath", "batchImportMetaDataOnCreate"),
        renames={"batchImportMetaDataOnCreate": "BatchImportMetaDataOnCreate"},
        drop=("deleteDataInFilesystem",),
        tags_member="Tags",
        check=_needs_system,
    ),
)  # fmt: skip
"""FSx' types."""
